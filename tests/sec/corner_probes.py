# SPDX-License-Identifier: Apache-2.0
"""Small rules at the edges of SEC's language, for corners.py. A kind is a function that returns the text of rules for the line
`pN WHO NUMBER REST` (N is the probe's number), which reads what is drawn from the tables here."""
import random
import re

CHILDREN = re.compile(r"shellcmd|cmdexec|spawn|pipe|report|script=")
KINDS = {}
NAMES = ["C1", "C_$1", "C_$+{who}", "%v", "%{w}", "x%{n}y", "(C1)", "((C1))", "_THIS", "SEC_INTERNAL_EVENT", "C%%1", "C$$", "C\\(b\\)", "%s", "'C1'", "\"C1\"",
         "nope", "C1C", "$3", "$9", "-", "C1,C2", "%z", "AL", "C1()", "%C1", "$+{_inputsrc}", "[C1]", "!C1", "C1\\"]
NUMBERS = ["0", "1", "2", "007", "-1", "1.5", "5s", "%u", "%n", "$2", "(2)", "((2))", "+2", "1e1", "-", "0x10", "%z", "$9", "''", "%{n}", "2)(", "two", "12345678901234567890", "%%2"]
TEXTS = ["plain", "(in parentheses)", "( blanks in them )", "((twice))", "(a) and (b)", "(a;b)", "a\\(b", "a\\)b", "(a\\)b)", "%s", "%%", "%%s", "%%%s", "%%%%s", "a%.nlb", "a%.nl", "%.nl",
         "%{.nl}x%{.nl}%{.nl}", "%{s}", "%s1", "%sx", "%{s}x", "%.chr65", "%.chr256", "%.chr065", "%.chr1x", "%.foo", "%.", "%..nl", "%{}", "%{v", "%v}", "%{v}}", "%{ v}", "%{v }", "%1", "%{1}", "%_v", "%v_", "%v.nl",
         "%+{who}", "%:{MA:who}", "% v", "100%", "$", "$$", "$1", "${1}", "${1", "$1}", "$+{1}", "$+{who}", "$+{no}", "$+{who", "$+who", "$+{}", "$+{0}", "$+{_inputsrc}", "$+{_intcontext}", "$+{a b}",
         "$+{!a}", "$+{a!b}", "$:{MA:1}", "$:{MA:who}", "$:{MA}", "$:{MA:}", "$:{:1}", "$:{MA:0}", "$:{NO:1}", "$:{MA:_inputsrc}", "$:{M A:1}", "$01", "$001", "${01}", "${ 1}", "$1$2", "$12", "${12}",
         "$$1", "$$$1", "$$$$1", "$a", "${a}", "$-1", "$&", "$3", "<$3>", "$3%v", "%v$3", "'quoted'", "\"twice\"", "`back`", "\\", "a\\b", "a\\\\b", "\\$1", "\\%v", "  wide  inside  ", "tab\there", "\xe9\xff",
         "%u", "%.hmsstr %.mday %.mon %.year %.wday", "%{.hour}%{.min}%{.sec}", "%.monstr %.mdaystr|", "%.wdaystr", "%.tzname%.tzoff%.tzoff2", "%t", "%.cr|", "%.tab|", "%.sp|", "%.chr0|", "%.chr31|",
         "5", "5 five", "0", "-", "- x", "->", ":>", "=", "#", "# x", "a # b", "a=b", "a;", "", "else", "()", "( )", "(", "%.nlx%.nl%.nly", "[x]", "{x}", "x,y"]
VARIABLES = ["%x", "%X1", "%x_y", "%{x}", "x", "%1x", "%_x", "%", "%%x", "%x%", "(%x)", "%x.", "%.nl", "%s", "%t", "%u", "%x-y", "%xx", "$1", "%é"]


def kind(function):
    KINDS[function.__name__] = function
    return function


class Draw:
    def __init__(self, r, number, perl):
        self.r, self.n, self.perl = r, number, perl

    def name(self):
        return self.r.choice(NAMES if self.r.random() < 0.6 else ["C1", "C_$1", "C2"])

    def number(self):
        return self.r.choice(NUMBERS if self.r.random() < 0.6 else ["1", "2", "0"])

    def text(self):
        t = self.r.choice(TEXTS)
        return t if self.r.random() < 0.7 else t + self.r.choice(["", " "]) + self.r.choice(TEXTS)

    def variable(self):
        return self.r.choice(VARIABLES) if self.r.random() < 0.15 else self.r.choice(["%x", "%v", "%n"])

    def maybe(self, chance, text):
        return text if self.r.random() < chance else ""

    def gap(self):
        return self.r.choice([" ", " ", " ", "  ", "\t", " \\\n  "])


def single(d, action, head="", desc="d $1 (x)"):
    return (f"type=Single\n{head}ptype=RegExp\npattern=^p{d.n} (?<who>\\S+) (\\S+) (.*)$\nvarmap=MA\n"
            f"desc={desc}\naction=assign %v old; {action}; write - got%.sp[%v] [%x]\n")


@kind
def store_action(d):
    n, t, v, s = d.name(), d.number(), d.variable(), d.text()
    verb = d.r.choice([
        f"create {n}", f"create {n} {t}", f"create {n} {t} {s}", f"create {n} {t} (write - ends {s})", f"create {n} {t} ( write - ends %s; add _THIS {s}; copy _THIS %x )", "create",
        f"delete {n}", "delete", f"obsolete {n}", "obsolete", f"set {n} {t}", f"set {n} {t} (write - set {s})", f"set {n} -", f"set {n} - write - later {s}", f"set {n}",
        f"alias {n} {d.name()}", f"alias {n}", f"unalias {n}", "unalias", f"add {n} {s}", f"add {n}", f"prepend {n} {s}", f"fill {n} {s}", f"fill {n}", f"prepend {n}", "add", "fill",
        f"copy {n} {v}", f"empty {n} {v}", f"empty {n}", f"pop {n} {v}", f"shift {n} {v}", f"copy {n}", f"pop {n}", f"copy {n} {v} {s}", f"exists {v} {n}", f"getsize {v} {n}",
        f"getltime {v} {n}", f"getctime {v} {n}", f"exists {v}", f"exists {n}", f"setltime {n} {t}", f"setltime {n}", f"setctime {t} {n}", "setctime %u C1", f"setctime {t}", f"report {n}", f"report {n} cat",
        f"reportexec {n} cat", f"reportexec {n} sed s/^/{s.replace('/', '')}/" if "\n" not in s else "none", f"getsize {v} {n} more", f"delete {n} more", f"obsolete {n} {s}"])
    return single(d, verb)


@kind
def text_action(d):
    t, v, s = d.number(), d.variable(), d.text()
    e = s.replace("$:{MA:0}", "x").replace("$+{0}", "x")  # an event that is its own line would come for ever
    verb = d.r.choice([
        f"write - {s}", f"write - {s}", "write -", f"write -{d.gap()}{s}", f"writen - {s}; writen - %.nl", f"owritecl - {s}%.nl", f"assign {v} {s}", f"assign {v} {s}", f"assign {v}", f"assignsq {v} {s}", f"assignsq {v}",
        f"free {v}", f"free {v} {s}", f"event {e}", f"event {t} {e}", "event", f"event {t}", f"tevent {t} {e}", f"tevent {t}", "tevent", f"cevent {d.name()} {t} {e}", f"cevent {d.name()} {t}", f"cevent {d.name()}",
        f"rewrite {t} {s}", f"rewrite {t}", f"rewrite 1 a%.nl{s}", f"rewrite 0 {s}", f"varset {v} MA", f"varset {v} {d.name()}", f"varset {v} ($1)", f"varset {v}", f"pipe '{s}'", f"pipe '{s}' cat", f"pipe ''", f"pipe '' cat",
        f"pipe '{s}'cat", f"pipe {s}", f"pipe '{s}' cat -n", f"pipeexec '{s}' cat", f"pipeexec '({s})' cat", f"pipe '%s'", f"pipe ' {s} '", f"logonly {s}", "logonly", f"none {s}", "none", f"NONE", f"Write - {s}",
        f"write - {s};;write - two", f"write{d.gap()}-{d.gap()}{s}", f"reset {t} {s}", f"reset {s}", "reset", f"reset {t}", f"getwpos {v} {t} {s}", f"getwpos {v} 0", f"getwpos {v}", f"setwpos {t} {t} {s}", f"setwpos %u 0",
        f"sigemul {d.r.choice(['USR9', 'usr2', '(USR2)', 'INTX', ''])}", f"dropinput {d.name()}", f"closef {d.name()}", "closef", f"break {s}", "break", "continue", f"addinput", f"addinput /no/such {t} {s}"])
    return single(d, verb)


@kind
def branch_action(d):
    g = d.gap
    inner = lambda: d.r.choice([f"write - in {d.text()}", "none", "break", "continue", "", " ", f"assign %x {d.text()}", "free %v", "if %v (write - deep) else (write - low)", "write - a; write - b", "(write - p)",
                                "while %y (free %y; write - w)", "assign %y 1; while %y (assign %y 0; break)", "assign %y 2; while %y ( if %x ( break ) else ( continue ); free %y )", "create CI 2 (if %v (write - ce) else (write - cf))"])
    v = d.r.choice(["%v", "%x", "%z", "%{v}", "v", "%V", "(%v)", "%v ", "%n"])
    verb = d.r.choice([
        f"if {v} ({inner()})", f"if {v}{g()}({inner()}){g()}else{g()}({inner()})", f"if {v}({inner()})else({inner()})", f"if {v} ( {inner()} ) ELSE ( {inner()} )", f"if {v} ({inner()}) else {inner()}", f"if {v} {inner()}",
        f"if {v} ({inner()}) elsif %x ({inner()})", f"if {v} ()", f"if {v} ({inner()}) else ()", f"if {v}", "if", f"if ! {v} ({inner()})", f"if {v} ({inner()}) more",
        f"assign %k 1; while %k (free %k; {inner()})", f"assign %k 1; while %k ( assign %k 0; {inner()} ) else (none)", f"assign %k 2; while %k ( lcall %k %k -> ( sub {{ $_[0] - 1 }} ); {inner()} )" if d.perl else "while %z (none)",
        f"assign %k 0; while %k (write - never)", f"assign %k 0.0; if %k (write - true) else (write - false)", f"assign %k 00; if %k (write - true) else (write - false)", "assign %k (); if %k (write - true) else (write - false)",
        "assign %k %z; if %k (write - true) else (write - false)", "assign %k %.sp; if %k (write - true) else (write - false)", "while %z", f"IF {v} ({inner()})", f"if {v} (({inner()}))", f"if {v} ({inner()};) ; none",
        f"if {v} ({inner()}); else ({inner()})", f"if %v (if %x ({inner()}) else ({inner()})) else (if %n ({inner()}))"])
    return single(d, verb)


@kind
def command_action(d):
    s = d.r.choice(["plain", "a  b", "$1", "$3", "%s", "%v", "(a b)", "%.nl", "*", "$$HOME", "%%s", "x\\(y", "'q r'", "\"q $1 r\"", "%{w}", "$9", "%z", "a;b", "(a;b)", "-n", "\\\\", "$2$2", "\\$1", "%.sp", "$1 $1", "#x"])
    verb = d.r.choice([
        f"shellcmd echo {s}", f"shellcmd (echo {s}; echo two)", f"spawn echo {s}", f"spawn (echo {s}; echo two)", f"cmdexec echo {s}", f"cmdexec (echo {s})", f"spawnexec echo {s}", f"cspawn C9 echo {s}", f"cspawnexec C9 echo {s}",
        f"cspawn C9 echo {s} two", "cspawn C9", "shellcmd", "cmdexec", "spawn", f"pipe '{s}' (cat; echo two)", f"pipeexec '{s}' cat -n", f"pipeexec 'x' echo {s}", f"pipeexec '' cat", f"report C1 (cat; echo {s})",
        f"reportexec C1 echo {s}", f"report C1 echo {s}", f"pipeexec 'x'", "reportexec C1", f"cmdexec echo%{{.sp}}{s}", f"cmdexec {s}"])
    return single(d, verb)


@kind
def condition(d):
    def operand():
        choices = ["C1", "C2", "nope", "C_$1", "C_u1", "$1", "varset MA", "varset  MA", "varset NO", "VARSET MA", "varset", "varset MA NO", "varset $9", "varset M$2", "(C1)", "( C1 )", "((C1))", "()", "", " ", "C1 C2", "!C1", "! C1", "!!C1", "! ! C1",
                   "!(C1)", "C1\\(", "C%%1", "C$$", "$$1", "%1", "C1;", "[C1]", "C1!", "C!1", "C1&C2", "C1|C2", "SEC_INTERNAL_EVENT", "_THIS", "&&", "||", "C1 -", "->", "$+{who}", "$:{MA:who}", "C_$:{MA:1}", "!varset NO", "!varset MA", "varset !MA",
                   "$3", "'C1'", "not C1", "C1 and C2", "1", "0", "TRUE", "varsetMA", "(varset MA)", "varset (MA)"]
        if d.perl:
            choices += ["$1 -> ( sub { $_[0] eq \"u1\" } )", "-> ( sub { 1 } )", "->(sub{0})", "-> sub { 1 }", "$1 $2 -> ( sub { scalar(@_) == 2 } )", "$3 -> ( sub { scalar(@_) > 1 } )", "MA :> ( sub { exists $_[0]->{\"who\"} } )", "NO :> ( sub { defined $_[0] } )",
                        "=(1)", "=(0)", "= 1", "=0", "=(\"$1\" eq \"u1\")", "= ( $2 > 1 )", "=({my $x = 1; $x;})", "-> ( sub { die } )", "-> ( 1 )", "-> ( sub { )", "=(die)", "=(1 ||)", "($1) -> ( sub { $_[0] eq \"u1\" } )", "MA NO :> ( sub { !defined($_[1]) } )",
                        ":> ( sub { 1 } )", "$2 -> ( sub { $_[0] >= 2 && $_[0] != 3 || 0 } )", "MA -> ( sub { $_[0] eq 'MA' } )", "$1->( sub { 1 } )", "(! $1) -> ( sub { $_[0] eq '!' } )", "-> ( sub { return; } )", "-> ( sub { () } )", "-> ( sub { (0, 1) } )",
                        "-> ( sub { (1, 0) } )", "-> ( sub { '0.0' } )", "-> ( sub { '00' } )", "$3 -> ( sub { $_[0] =~ /^[a-z]/ } )", "$9 -> ( sub { defined $_[0] } )", "$9 -> ( sub { length($_[0]) == 0 } )", "a $9 b -> ( sub { scalar(@_) == 3 } )"]
        return d.r.choice(choices)
    good = lambda: d.r.choice(["C1", "C2", "nope", "!C1", "varset MA", "(C1 || nope)", "!(nope && C1)", "C_$1", "! nope", "(C1)"])
    one = lambda: operand() if d.r.random() < 0.5 else good()
    op = lambda: d.r.choice([" && ", " || ", "&&", "||", " &&", "|| ", " && ", " || "])
    text = d.r.choice([operand(), f"{one()}{op()}{one()}", f"{one()}{op()}{good()}{op()}{good()}", f"({one()}{op()}{good()}){op()}{good()}", f"!({good()}{op()}{one()})", f"{good()}{op()}({good()}{op()}({good()}{op()}{one()}))",
                       f"{good()}{op()}{good()}{op()}{good()}{op()}{good()}", f"{good()}{op()}", f"{op()}{good()}", f"({good()}", f"{good()})", f"{good()}{op()}{op()}{good()}", f"({good()}) ({good()})", f"!{good()}{op()}!{good()}"])
    text = d.r.choice([text, text, text, text, f"[{text}]", f"[ {text} ]", f"[{text}", f"({text})", f" {text} "])
    head = f"context={text}\n"
    again = f"type=Single\nptype=RegExp\npattern=^p{d.n} \ndesc=other\naction=write - taken by the next\n"
    return single(d, "none", head) + "\n" + again


@kind
def second_condition(d):
    c = d.r.choice(["C1", "nope", "C_$1", "C_%1", "%1", "$1 || C_%1", "!C_%1", "C_%+{who}", "varset MA", "[C1]", "[C_%1]", "C%%1", "!nope && C_%1", "C_$9", "C_%9"])
    if d.perl:
        c = d.r.choice([c, "$1 %1 -> ( sub { $_[0] eq $_[1] } )", "=(\"$1\" eq \"%1\")", "%1 -> ( sub { $_[0] eq 'u1' } )", "%%1 -> ( sub { $_[0] eq '%1' } )", "MA :> ( sub { defined($_[0]) } )"])
    kind1 = d.r.choice([f"ptype=RegExp\npattern=^p{d.n} (?<who>\\S+) (\\S+) (.*)$\n", f"ptype=SubStr\npattern=p{d.n}\\s\n", f"ptype=RegExp\npattern=^p{d.n} (\\S+)\nvarmap=MA; who=1\n"])
    kind2 = d.r.choice([f"ptype2=RegExp\npattern2=^q{d.n} (?<who>\\S+)(.*)$\n", f"ptype2=RegExp\npattern2=^q{d.n} $1\n", f"ptype2=SubStr\npattern2=q{d.n} $1\n", f"ptype2=RegExp\npattern2=^q{d.n} ($+{{who}}) ${{2}}$$\n", f"ptype2=SubStr\npattern2=q{d.n}\\s\n",
                        f"ptype2=RegExp\npattern2=^q{d.n} (${{1}}|x) $2\n", f"ptype2=NRegExp\npattern2=^(?:p|q{d.n} other)\n", f"ptype2=RegExp\npattern2=^q{d.n} [$1]+\n", f"ptype2=RegExp\npattern2=^q{d.n} (?:$3\n", f"ptype2=NSubStr\npattern2=$1\n",
                        f"ptype2=SubStr\npattern2=q{d.n} $$1\n", f"ptype2=RegExp\npattern2=^q{d.n} $+{{who}}\n", f"ptype2=RegExp\npattern2=^q{d.n} \\$1|^q{d.n} \\S+\n", f"ptype2=Cached\npattern2=MA\n", f"ptype2=TValue\npattern2=TRUE\n",
                        f"ptype2=RegExp\npattern2=^q{d.n} $9\\S\nvarmap2=MB; who=0\n", f"ptype2=RegExp2\npattern2=\\nq{d.n} $1\n", f"ptype2=RegExp\npattern2=(?i)Q{d.n} $1\n"])
    say = lambda: d.r.choice(["%1 $1", "%%1 $$1", "%+{who} $+{who}", "%0|$0", "%s", "%{1}x${1}", "%%s %%%s", "%9 $9", "%v", "%:{MA:who}", "%%%1", "%2%3 $2", "% 1", "%+{", "%1%", "100%", "%.nl", "%t%%", "%+{_inputsrc}", "%u"])
    kind = d.r.choice(["Pair", "PairWithWindow"])
    return (f"type={kind}\n{d.maybe(0.3, 'continue=TakeNext' + chr(10))}{kind1}desc={d.r.choice(['first $1', 'first', '%1 $1', '%%1'])}\naction=write - first {say()}\n{kind2}{d.maybe(0.6, 'context2=' + c + chr(10))}"
            f"{d.maybe(0.3, 'continue2=TakeNext' + chr(10))}desc2={say()} {say()}\naction2=write - second {say()} {say()}; assign %x {say()}\n{d.maybe(0.8 if kind == 'Pair' else 1, 'window=3' + chr(10))}")


TYPES = ["RegExp", "regexp", "REGEXP1", "RegExp2", "RegExp3", "RegExp01", "RegExp0", "RegExp+1", "RegExp 2", "RegExp99999", "SubStr", "SubStr1", "SubStr2", "substr02", "SubStr0", "NSubStr", "NSubStr2", "NRegExp", "NRegExp2", "nregexp1", "Cached", "Cached1", "NCached",
         "NCached2", "TValue", "tvalue", "TValue1", "NTValue", "PerlFunc", "NPerlFunc", "PerlFunc2", "Regex", "NRegexp02", "NPerlFunc2", "NN"]


@kind
def pattern_type(d):
    p = d.r.choice([f"p{d.n} ", f"^p{d.n} (\\S+)", f"p{d.n}\\s", f"p{d.n}\\su1", f"\\np{d.n}", f"p{d.n}\\x20", "TRUE", "true", "FALSE", "True ", "T", "MA", "MB", "m a", "1x", "", f"\\0p{d.n}", f"p{d.n}\\\\", f"p{d.n}\\z", f"^show\\np{d.n}", "show\\n", "(", "[",
                    f"sub {{ $_[0] =~ /^p{d.n} (\\S+)/ ? $1 : 0 }}" if d.perl else "sub", f"sub {{ return $_[-1] }}" if d.perl else "x", f"p{d.n}.*\\n.*p{d.n}", "^$", "\\n", f"p{d.n}\\s\\s", f"p{d.n} ", f"p{d.n}\\r", "$1", "%s"])
    v = d.maybe(0.4, "varmap=" + d.r.choice(["MB", "MB; who=1", "who=1", "who = 1 ; MB", "who=1; who=0", "MB; MC", "MB;", ";MB", ";", "1MB", "who=", "who=x", "=1", "who=1,MB", "WHO=01", "who=99", "M_B; w_1=2", "_m", "m!b", "MB who=1", "_inputsrc=1", "who=1;;x=0", "MB;1", "2=1"]) + "\n")
    return (f"type=Single\nptype={d.r.choice(TYPES)}\npattern={p}\n{v}context=[!SEEN{d.n}]\ndesc=d\naction=create SEEN{d.n}; write - $0|$1|$2|$+{{who}}|$+{{_inputsrc}}|$+{{_intcontext}}|$:{{MB:who}}|$:{{MB:1}}|$:{{MC:0}}|$+{{x}}|$$\ncontinue={d.r.choice(['TakeNext', 'takenext', 'DontCont'])}\n\n"
            f"type=Single\nptype=Cached\npattern={d.r.choice(['MB', 'MC', 'M_B'])}\ndesc=d\naction=write - cached $0|$1|$+{{who}}|$+{{w_1}}|$+{{_inputsrc}}\n")


@kind
def numbers(d):
    value = lambda: d.r.choice(["1", "2", "3", "0", "01", "002", "-1", "+1", "1.0", "1e1", "x", "", " 2 ", "2 s", "4294967296", "99999999999999999999", "0x2", "2;", "\xb2"])
    good = lambda: str(d.r.randint(1, 3))
    w, t, w2, t2 = [(value() if d.r.random() < 0.4 else good()) for _ in range(4)]
    cont = d.maybe(0.5, "continue=" + d.r.choice(["TakeNext", "takeNEXT", "DontCont", "EndMatch", "GoTo", "GoTo  lab", f"GoTo l{d.n}", f"goto l{d.n}", f"GoTo L{d.n}", f"GoTo l{d.n} x", "Take Next", "Stop", "", "Takenext ;", f"GoTo\tl{d.n}", "GoTo before"]) + "\n")
    head = f"{cont}ptype=RegExp\npattern=^[pq]{d.n} (\\S+)\ndesc={d.r.choice(['all', '$1', '%s', '$0', '', '%u', '$$1', '$9'])}\naction=write - hit $1 %s\n"
    tail = f"\nlabel=l{d.n}\n\ntype=Single\nptype=RegExp\npattern=^([pq]{d.n} .*)\ndesc=d\naction=write - behind $1\n"
    text = d.r.choice([
        f"type=SingleWithThreshold\n{head}window={w}\nthresh={t}\n{d.maybe(0.5, 'action2=write - over %s $1' + chr(10))}", f"type=SingleWithSuppress\n{head}window={w}\n", f"type=SingleWith2Thresholds\n{head}window={w}\nthresh={t}\nwindow2={w2}\nthresh2={t2}\ndesc2=low $1 %s\naction2=write - low %s\n",
        f"type=EventGroup\n{head}window={w}\nthresh={t}\n{d.maybe(0.5, 'multact=' + d.r.choice(['yes', 'Yes', 'NO', 'true', '1', '']) + chr(10))}", f"type=EventGroup{d.r.choice(['1', '2', '02', '0', '3', '+1', ' 1', 'x', '1001', '-1'])}\n{head}window={w}\nptype2=SubStr\npattern2=q{d.n}\nthresh2={t2}\n",
        f"type=Single{d.r.choice(['', ' ', 's', 'WithSupress', 'withsuppress'])}\n{head}", f"type=Pair\n{head}ptype2=SubStr\npattern2=q{d.n} \ndesc2=d2\naction2=write - closed %s\nwindow={w}\n", f"type=PairWithWindow\n{head}ptype2=SubStr\npattern2=q{d.n} x\ndesc2=d2\naction2=write - closed %s\nwindow={w}\n",
        f"type=Single\n{head}window={w}\n", f"type=SingleWithThreshold\n{head}window={w}\n", f"type=SingleWithThreshold\n{head}thresh={t}\n", f"type=SingleWithScript\n{head}script={d.r.choice(['true', 'false', 'echo $1', 'cat', 'exit 3', 'sh -c true', 'echo  $1  %s', 'true;', '', '(true)', '( false )'])}\n{d.maybe(0.5, 'shell=' + d.r.choice(['yes', 'no', 'No', 'x']) + chr(10))}{d.maybe(0.6, 'action2=write - failed $1 %s' + chr(10))}"])
    return text + tail


@kind
def groups(d):
    size = d.r.randint(1, 3)
    r = d.r
    text = f"type=EventGroup{size if size > 1 or r.random() < 0.3 else ''}\n"
    for i in range(1, size + 1):
        s = "" if i == 1 and r.random() < 0.9 else str(i)
        p = r.choice([f"^[pq]{d.n} (\\S+)", f"^q{d.n} (\\S+)", f"^p{d.n} (\\S+) (\\d+)", f"^[pq]{d.n} \\S+ (?<num>\\d+)"])
        text += f"ptype{s}=RegExp\npattern{s}={p}\n" + d.maybe(0.4, f"thresh{s}={r.choice(['1', '2', '0', '02', '-'])}\n") + d.maybe(0.4, f"continue{s}={r.choice(['TakeNext', 'DontCont'])}\n")
        text += d.maybe(0.5, f"egtoken{s}={r.choice(['$1', 'T', 'a b', '%s', '$9', '$$', '$+{num}', '%%', '1', '$2$1', '(x)', '%u'])}\n") + d.maybe(0.4, f"count{s}=write - count{i} $1 %s; {r.choice(['none', 'add CG $1', 'reset 0', 'getwpos %v 0; free %v', 'assign %x $1', 'setwpos %u 0', 'break'])}\n")
        text += d.maybe(0.2, f"varmap{s}=MB; who=1\n") + d.maybe(0.2, f"context{s}={r.choice(['C1', 'nope', '!nope', '[C1]', 'C_$1', '!C_$1'])}\n")
    egp = [("RegExp", r.choice(["1$", "^1 2", "T", "u1", "^$", "(", "1 1", "2 1", "^\\S+( \\S+)*$", "$1", "^T$"])), ("NRegExp", "1"), ("SubStr", r.choice(["1 ", "1", "T", "\\s", "1\\s1", "2", "\\0", "$1", " "])), ("NSubStr", r.choice(["2", "1 1", "u1"])), ("Regexp2", "1"), ("Cached", "MA"), ("TValue", "TRUE")]
    if d.perl:
        egp += [("PerlFunc", r.choice(["sub { scalar(@{$_[1]}) >= 2 }", "sub { $_[0] =~ /1 1/ }", "sub { 0 }", "sub { (0, 1) }", "sub { (1, 0) }", "sub { return }", "sub { $_[1]->[0] eq '1' }", "sub { die }", "1"])), ("NPerlFunc", "sub { $_[0] eq '1' }")]
    for key, chance in (("init", 0.5), ("slide", 0.5), ("end", 0.5)):
        text += d.maybe(chance, f"{key}=write - {key} $1 %s; {r.choice(['none', 'none', 'create CG 5', 'reset 0', 'getwpos %v 0; free %v', 'setwpos %u 0', 'write - $+{num}', 'delete CG', 'event from ' + key])}\n")
    t, p = r.choice(egp)
    text += d.maybe(0.5, f"egptype={t}\negpattern={p}\n") + d.maybe(0.05, "egptype=RegExp\n") + f"desc={r.choice(['g', '$1', 'g %s', '$+{num}'])}\naction=write - group $1 %s; {r.choice(['none', 'reset 0', 'setwpos %u 0', 'getwpos %v 0; free %v', 'create CG 1', 'event %s'])}\n"
    return text + f"window={r.choice(['1', '2', '3', '5'])}\n" + d.maybe(0.6, f"multact={r.choice(['yes', 'no'])}\n")


@kind
def calendar_time(d):
    def part(low, high):
        n = lambda: str(d.r.randint(low, high)) if d.r.random() < 0.9 else d.r.choice([str(high + 1), "-1", "x", "007", "", "*"])
        one = lambda: d.r.choice([n(), f"{n()}-{n()}", f"{low}-{high}", "*", "*/2", f"{n()}-{n()}/2", f"*/{n()}", f"{n()}/2", f"-{n()}", f"{n()}-", f"0{n()}", "*/0", "/2", "*-3", "-", "**", "*/x", f"-{n()}/2", f"{n()}-/3", "0-0", "-/2"])
        return d.r.choice(["*", "*", one(), f"{one()},{one()}", one(), f"{one()},", f",{one()}", f"{one()},,{one()}"])
    # 14 November 2023, 22:13:20, a Tuesday, is when the clock begins
    words = [part(0, 59), d.r.choice(["*", "22", part(0, 23)]), d.r.choice(["*", "14", part(0, 31)]), d.r.choice(["*", "11", part(1, 12)]), d.r.choice(["*", "2", part(0, 7)])]
    if d.r.random() < 0.5:
        words[0] = d.r.choice(["*", "13-16", "*/2", "13,14", "10-20/3", "14", "-14", "14-", "13-"])
    if d.r.random() < 0.3:
        words.append(d.r.choice(["*", "23", "23-24", "-23", "2023", "0-99", "*/23", "123", "3", "23-", "x"]))
    if d.r.random() < 0.05:
        words.append("*")
    context = d.maybe(0.3, "context=" + d.r.choice(["C1", "nope", "[C1]", "!nope", "SEEN", "C1 && !nope", "$1", "C_u1"]) + "\n")
    return f"type=Calendar\ntime={d.r.choice([' ', '  ', chr(9)]).join(words)}\n{context}{d.maybe(0.1, 'ptype=RegExp' + chr(10))}desc={d.r.choice(['cal', 'cal %u $1', '%s', '$$'])}\naction=write - cal{d.n} %s %.hmsstr $1 $$; {d.r.choice(['none', 'event made', 'rewrite 1 x', 'reset 0', 'create CAL$1 3 (write - cal ends %s)', 'varset %x MA'])}\n"


@kind
def statements(d):
    g = lambda: d.r.choice(["", "", " ", "\t", "  "])
    rows = [("type", "Single"), ("ptype", "RegExp"), ("pattern", f"^p{d.n} (\\S+)"), ("desc", "d $1"), ("action", f"write - st{d.n} %s")]
    if d.r.random() < 0.6:
        rows.insert(d.r.randint(0, 5), d.r.choice([("rem", "any = thing"), ("rem", "x \\"), ("label", f"st{d.n}"), ("Rem", "x"), ("REM", "x"), ("desc", "second"), ("pattern", f"^p{d.n} (.)"), ("action", "none"), ("nosuch", "x"), ("context", "C1"), ("context", "nope"), ("continue", "TakeNext"), ("window", "5"),
                                                   ("ptype2", "RegExp"), ("ptype1", "RegExp"), ("pattern1", "x"), ("continue2", "TakeNext"), ("varmap", "MA"), ("varmap1", "MA"), ("action2", "none"), ("type", "Suppress"), ("Type", "single"), ("rem", ""), ("label", ""), ("rem2", "x")]))
    if d.r.random() < 0.2:
        d.r.shuffle(rows)
    out = []
    for key, value in rows:
        line = f"{g()}{key}{g()}={g()}{value}{g()}"
        odd = d.r.random()
        if odd < 0.06:
            cut = d.r.randint(0, len(line))
            line = line[:cut] + "\\" + d.r.choice(["", " ", "\t", " \t", "\r"]) + "\n" + d.r.choice(["", "  ", "\t"]) + line[cut:]
        elif odd < 0.1:
            line += d.r.choice(["\r", "\x0b", "\x0c", "\xa0", "\\\\", "\\", "\\\n", " \\ \\"])
        elif odd < 0.13:
            line = d.r.choice(["#", " #", ";", "=", "\xef\xbb\xbf", "//", "\\", "-", "x\n", "# c\n", " \n", "\t# c\n", "\x0b\n", "\r\n", "# c \\\n", "label=z \n", "rem=a\\\n"]) + line
        elif odd < 0.15:
            line = line.replace("=", d.r.choice(["==", ":", " ", "=\\\n"]), 1)
        out.append(line)
    return "\n".join(out) + "\n"


@kind
def flow(d):
    r = d.r
    c = lambda: r.choice(["TakeNext", "DontCont", f"GoTo a{d.n}", f"GoTo b{d.n}", f"GoTo c{d.n}", "EndMatch", "takenext"])
    one = lambda tag: r.choice([f"type=Single\ncontinue={c()}\nptype=RegExp\npattern=^p{d.n} (\\S+)\ndesc={tag}\naction=write - {tag}\n", f"type=Jump\ncontinue={c()}\nptype=SubStr\npattern=p{d.n}\\s\n{d.maybe(0.7, 'cfset=' + r.choice(['side', 'side side', 'none', 'side none', 'other side', 'in out', 'loop', '$1', 'set_u1']) + chr(10))}{d.maybe(0.3, 'constset=' + r.choice(['yes', 'no', 'No', 'x']) + chr(10))}",
                                f"type=Jump\nptype=RegExp\npattern=^p{d.n} (\\S+)\ncfset={r.choice(['set_$1', '$1', 'side $1', '${1}', 'side', '$$1', '%s', '$3'])}\nconstset={r.choice(['no', 'yes'])}\ncontinue={c()}\n", f"type=Suppress\nptype=RegExp\npattern=^p{d.n}\ncontext={r.choice(['C1', 'nope', '!C1', 'C_$1', 'varset MA'])}\n",
                                f"type=Suppress\nptype=RegExp\npattern=^p{d.n}\n{d.maybe(0.3, r.choice(['continue=TakeNext', 'action=none', 'desc=x', 'window=3']) + chr(10))}context=nope\n", f"type=Single\nptype=RegExp\npattern=^p{d.n} u1\ndesc={tag}\naction=write - only {tag}; {r.choice(['none', 'rewrite 1 p%s', 'event p9999 made', 'create SUP'])}\ncontinue={c()}\n",
                                f"type=Options\n{r.choice(['joincfset=other', 'procallin=yes', 'procallin=maybe', 'joincfset=set_u1 in', 'joincfset=', ''])}\n"])
    label = lambda x: r.choice([f"label={x}{d.n}\n\n", f"label={x}{d.n}\n", f"label= {x}{d.n} \n\n", f"label={x}{d.n}\n# c\n", "", f"label={x}{d.n}\nlabel=z{d.n}\n\n"])
    return "\n".join([one("one"), label("a") + one("two"), label("b") + one("three"), label("c") + one("four")])


REGEX_ATOMS = ["a", "b", "u", "1", "\\w", "\\W", "\\d", "\\s", "\\S", ".", "[a-c]", "[^a-c]", "[[:alpha:]]", "[[:^digit:]]", "[\\w-]", "[]a]", "[^]]", "[a\\]]", "\\b", "\\B", "^", "$", "\\A", "\\z", "\\Z", "(a|b)", "(?:a|u)", "(u)", "(\\w+)", "(?<k>\\d)", "(.*?)", "(.+)", "\\x41", "\\x{42}",
               "\\t", "\\.", "\\/", "\\Q.+\\E", "(?i)A", "(?i:U)", "(?s).", "(?m)^", "(?x) a # c", "()", "(|a)", "(a?)", "\\h", "\\v", "\\R", "\\N", "\\K", "\\1", "\\g1", "\\g{1}", "\\k<k>", "(?=u)", "(?!b)", "(?<=u)", "(?<!b)", "(?>a+)", "(?#note)", "\\p{L}", "\\pL", "\\PN", "\\p{Alpha}", "\\e", "\\cA", "\\0", "\\012",
               "\\o{101}", "\\e", "\\f", "\\a", "\\X", "\\D", "\\H", "\\V", "[\\h]", "[\\s]", "[\\N{U+41}]", "\\N{U+41}", "(?'k'a)", "(?P<k>u)", "(?P=k)", "(?|(a)|(u))", "(?(1)a|u)", "(?1)", "(?R)?", "@", "\\@", "@u", "$a", "#", " ", "\\ ", "-", "{", "}", "{1", "{,2}", "a{2}", "u{1,2}", "u{,2}", "u{2,1}", "[z-a]", "[a-\\d]",
               "\xe9", "[\xe0-\xff]", "\\xe9", "\\w\xe9", "(?i)\xc9", "(?a)\\w", "(?d)\\w", "(?^)a", "(?^i:U)", "(?-i)a", "(?i-s:U.)", "\\G", "\\C", "(*FAIL)", "(*ACCEPT)", "\\Bu", "(?<n.m>a)", "(?<_k>u)", "(?<k>b)", "$(", "$)", "$|", "|", "a|", "|u", "%", "/", "\"", "'", "\\E", "\\Qu", "\\uu", "\\LU\\E", "\\U"]


@kind
def regexps(d):
    r = d.r

    def piece():
        atom = r.choice(REGEX_ATOMS)
        if r.random() < 0.3:
            atom = r.choice([f"({atom})", f"(?:{atom})", atom]) + r.choice(["*", "+", "?", "*?", "+?", "??", "{2}", "{1,}", "{0}", "{1,2}?", "*+", "++", "?+", "**", "{2}{2}", "{1001}", "{ 1 }"])
        return atom
    text = "".join(piece() for _ in range(r.randint(1, 4)))
    front = r.choice([f"^p{d.n} ", f"^p{d.n} ", f"p{d.n} .*?", f"p{d.n}\\s+", f"^p{d.n} \\S+ \\S+ "])
    lines = r.choice(["", "", "", "2"])
    pattern = ("(?:.*\\n)?" if lines else "") + front.replace("^", "^" if not lines else "") + text
    return f"type=Single\nptype={r.choice(['RegExp', 'RegExp', 'RegExp', 'NRegExp'])}{lines}\npattern={pattern}\nvarmap=MB; m=1\ncontext=!SEEN{d.n}\ndesc=d\naction=create SEEN{d.n}; write - re{d.n} <$1><$2><$3><$+{{k}}><$+{{m}}><$+{{_k}}><$9>\ncontinue=TakeNext\n"


SETUP = """label=before

type=Single
ptype=RegExp
pattern=^setup (\\S+)
varmap=MS
desc=setup %u $1
action=create C1; add C1 first; add C1 second line; create C_u1 600; add C_u1 one; alias C1 AL; assign %w w v; assign %n 3; free %z; free %v; free %x; free %y; delete C2; delete CG

"""
SHOW = """type=Single
ptype=SubStr
pattern=show
desc=show
action=copy C1 %c1; getltime %l1 C1; getsize %s1 C1; write - C1=%c1|%l1|%s1; exists %e2 C2; exists %e3 C_u1; exists %e4 AL; getltime %l2 C2; write - C2=%e2 C_u1=%e3 AL=%e4 %l2|v=%v|x=%x|n=%n|z=%z; free %l2; free %c1

type=Single
ptype=RegExp
pattern=^(.*)$
desc=rest
action=write - rest <$1>
"""
SIDE = """type=Options
joincfset=side set_u1
procallin=no

type=Single
ptype=RegExp
pattern=^p(\\d+) (\\S+)
desc=side
action=write - side $1 $2

type=Jump
ptype=TValue
pattern=TRUE
cfset=side
"""


class Probes:
    """Rules of one seed, each with its number."""

    def __init__(self, seed, kinds, perl, texts=None):
        self.seed, self.perl = seed, perl
        r = random.Random(f"{seed}")
        self.chosen = []
        while len(self.chosen) < 24:
            n, name = len(self.chosen) + 1, kinds[r.randrange(len(kinds))]
            text = KINDS[name](Draw(r, n, perl))
            # every fifth seed starts children: they write when they like, so its lines are compared as a set
            if bool(CHILDREN.search(text)) == self.has_children():
                self.chosen.append((n, name, text))
        self.only = None

    def has_children(self):
        return self.seed % 5 == 0

    def opens_several(self):
        return self.only is not None and self.chosen[self.only][1] in ("numbers", "groups", "second_condition", "store_action")

    def each_alone(self):
        for one in range(len(self.chosen)):
            copy = Probes.__new__(Probes)
            copy.seed, copy.perl, copy.chosen, copy.only = self.seed, self.perl, self.chosen, one
            yield copy

    def picked(self):
        return self.chosen if self.only is None else [self.chosen[self.only]]

    def names(self):
        return " ".join(f"{name} {n}" for n, name, _ in self.picked())

    def probe_texts(self):
        return [text for _, _, text in self.picked()]

    def rule_files(self):
        return {"main.sec": SETUP + "\n\n# next\n".join(text for _, _, text in self.picked()) + "\n\n# the end\n" + SHOW, "side.sec": SIDE}

    def options(self):
        return ["--intcontexts"] if self.seed % 3 == 0 else []

    def lines(self):
        out, second = [], 0
        r = random.Random(f"{self.seed} lines")
        who, number, rest = ["u1", "u1", "u2", "a.b", "($1)", "%s"], ["2", "2", "0", "1", "x", "5"], ["third words", "", "a;b", "x y  z", "%u $1", "(q)", "uuab 1A", "BaU b1", "a\tb", "\xe9u"]
        texts = {n: [f"{r.choice(who)} {r.choice(number)} {r.choice(rest)}" for _ in range(3)] for n in range(1, 25)}
        for n, name, _ in self.picked():
            one, two, three = texts[n]
            out.append(f"{second}\tsetup {n}")
            out.append(f"{second}\tp{n} {one}")
            out.append(f"{second}\tshow")
            out.append(f"{second + 1}\tq{n} {one}")
            out.append(f"{second + 1}\tp{n} {two}")
            out.append(f"{second + 1}\tshow")
            out.append(f"{second + 3}\tp{n} {three}")
            out.append(f"{second + 6}\tq{n} {two}")
            out.append(f"{second + 6}\tshow")
            second += 7
        for more in (5, 20, 70, 130, 700):
            out.append(f"{second + more}\tshow")
        return "\n".join(out) + "\n"
