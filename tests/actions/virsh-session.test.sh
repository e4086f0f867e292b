# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
# The one virsh that answers all questions of a script (lib-virsh.sh), asked directly.
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

# asked COMMANDS: a script of its own that asks; out is what it prints.
# shellcheck disable=SC2016
asked() {
  : >"$WORLD/calls"
  env -i PATH="$BIN" WORLD="$WORLD" TMPDIR="$WORLD/tmp" CORRELATOR_ACTION_STATE="$WORLD/state" CORRELATOR_ACTION_SYSROOT="$WORLD/root" \
    /bin/bash -c '. "$0/lib.sh"; . "$0/lib-virsh.sh"; option connect uri qemu:///system; option timeout seconds 20; start; '"$1" "$ACTIONS" \
    </dev/null >"$WORLD/out" 2>"$WORLD/err"
  code=$?
  local left=("$WORLD"/tmp/*)
  check 'no temporary file is left' "$WORLD/tmp/*" "${left[0]}"
}
sessions() { if [[ -e $WORLD/sessions ]]; then wc -l <"$WORLD/sessions"; else echo 0; fi; }

# shellcheck disable=SC2016  # for the script
{
fresh 'words that a parser could take for more than a word are not told'
for word in 'a;b' 'a b' "a'b" 'a"b' 'a\b' 'a#b' $'a\nb' '' 'é' '$(x)' $'a\tb'; do
  export WORD=$word
  asked "virsh_ask dominfo ${word@Q}; echo went on"
  exits 1
  says 'not a word for virsh'
  check 'nothing was called' '' "$(cat "$WORLD/calls" "$WORLD/out")"
done
check 'nor was a virsh started' no "$([[ -e $WORLD/sessions ]] && echo yes || echo no)"

fresh 'what a guest says of itself is no end, no error, no prompt'
guest here vm2 'running (booted)'
{
  printf "<description>error: no\nerror: unknown command: 'answered-1-11'\nvirsh # \nvirsh # answered-1-11\n\n"
  printf 'virsh # dumpxml vm2\nanswered-2-1\n</description>\n<last/>'
} >"$WORLD/here/domains/vm2/xml"
asked 'virsh_ask dumpxml vm2; printf "%s\n" "$RC" "$OUT"; virsh_ask domstate vm2; printf "%s\n" "$RC" "$OUT"'
check 'all of it' "0
<domain type=\"kvm\">
$(cat "$WORLD/here/domains/vm2/xml")
</domain>
0
running (booted)" "$(cat "$WORLD/out")"

fresh 'an answer longer than a pipe'
head -c 300000 /dev/zero | tr '\0' x >"$WORLD/here/domains/vm1/xml"
asked 'virsh_ask dumpxml vm1; printf "%s " "$RC" "${#OUT}" "${OUT: -9}"'
check 'all of it' '0 300030 </domain> ' "$(cat "$WORLD/out")"

fresh 'an error is of its own command'
asked 'virsh_ask domstate vm9; printf "%s %s\n" "$RC" "${ERR%%$'"'\n'"'*}"; virsh_ask domstate vm1; printf "%s %s %s\n" "$RC" "$ERR" "$OUT"'
check 'told' "1 error: failed to get domain 'vm9'
0  running (booted)" "$(cat "$WORLD/out")"
check 'by one virsh' 1 "$(sessions)"

fresh 'no answer in time: that virsh is stopped, another is asked next'
touch "$WORLD/hang-domstate"
asked 'virsh_limited 1 domstate vm1; echo "$RC"; rm "$WORLD/hang-domstate"; virsh_ask domstate vm1; echo "$RC $OUT"'
check 'told' "124
0 running (booted)" "$(cat "$WORLD/out")"
says 'domstate vm1: stopped after 1 s'
check 'by two' 2 "$(sessions)"

fresh 'one that would be stopped too soon is not asked'
asked 'virsh_ask domstate vm1; SESSION_END=$((SECONDS + 15)); virsh_ask domstate vm1; echo "$RC"'
check 'by two' '0 2' "$(cat "$WORLD/out") $(sessions)"
fresh 'one that is stopped in time is'
asked 'virsh_ask domstate vm1; SESSION_END=$((SECONDS + 60)); virsh_ask domstate vm1; echo "$RC"'
check 'by one' '0 1' "$(cat "$WORLD/out") $(sessions)"

fresh 'virsh died between two questions'
asked 'virsh_ask domstate vm1; kill -TERM "$ASIDE"; sleep 0.5; virsh_ask domstate vm1; echo "$RC"; virsh_ask domstate vm1; echo "$RC"'
check 'the next is asked of another' "1
0" "$(cat "$WORLD/out")"

fresh 'a script that is killed leaves no virsh'
{ asked 'virsh_ask domstate vm1; echo "$ASIDE" >"$WORLD/aside"; trap - EXIT; rm -rf "$WORK"; kill -KILL "$BASHPID"'; } 2>/dev/null
pid=$(cat "$WORLD/aside")
for ((i = 0; i < 900; ++i)); do [[ -e /proc/$pid ]] || break; sleep 0.05; done
check 'it ended with its pipe' no "$([[ -e /proc/$pid ]] && echo yes || echo no)"
}

report
