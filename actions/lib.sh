# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034  # variables are read by the scripts
# Shared by the action scripts: options, validation, time limits, locks, markers.
# Sourced, never run. lib-virsh.sh and lib-cluster.sh add libvirt and pacemaker.
#
# A script declares its options with `option`, calls `start "$@"`, asks with
# `limited` or `virsh_ask`, changes things only with `change`, and leaves with
# `finish CODE TEXT`. Nothing here or in a script goes through eval or sh -c.

set -u
unset BASH_ENV ENV CDPATH
IFS=$' \t\n'
export LC_ALL=C LANGUAGE=  # the texts of virsh and pacemaker are matched below
umask 077
[[ -n ${PATH:-} ]] || export PATH=/usr/sbin:/usr/bin:/sbin:/bin

ASK_LIMIT=15  # seconds for a question to virsh or the cluster
readonly DONE=0 FAILED=1 USAGE=2 REFUSED=3 TIMED_OUT=4 NOT_HERE=5 NEEDS_PERSON=6

ACTION=${0##*/}
STATE=${CORRELATOR_ACTION_STATE:-/var/lib/correlator/actions}
SYSROOT=${CORRELATOR_ACTION_SYSROOT:-}  # put before /sys, /proc, /var/log: tests only
KILL_AFTER=2                            # seconds between TERM and KILL of a command
DRY_RUN=0 UNDO=0
RC=0 OUT='' ERR='' VALUE='' INPUT='' CHILD='' WORK='' DOCUMENT='' ASIDE=''
declare -A OPT=() KIND=() MARK=()

# ---------------------------------------------------------------- log and leave

# Names and texts may come from a hostile log: only printable ASCII reaches stderr.
log() {
  local text=$*
  text=${text:0:2000}
  printf '%s: %s\n' "$ACTION" "${text//[^[:print:]]/?}" >&2
}

# finish CODE TEXT: the last step, logged, with an exit code of the table.
finish() {
  log "$2"
  exit "$1"
}

bad_usage() {
  log "$1"
  log "try: $ACTION --help"
  exit "$USAGE"
}

exit_codes() {
  cat <<'TABLE'
Exit codes:
  0  done, or it was so already
  1  failed
  2  usage: unknown option, value of the wrong form
  3  precondition not met, refused (stderr says which)
  4  timed out
  5  not applicable here: program missing, domain or node unknown
  6  needs a person
TABLE
}

common_options() {
  cat <<'TEXT'
  --dry-run   look, print the commands that would change something, one per
              line, change nothing; a failed precondition gives its exit code
  --help      this text
TEXT
}

# ---------------------------------------------------------------- options

# option NAME KIND [DEFAULT]: without a default it is required. A flag is 0 or 1.
option() {
  KIND[$1]=$2
  if [[ $2 == flag ]]; then OPT[$1]=0; elif (($# > 2)); then OPT[$1]=$3; fi
}

# valid KIND VALUE: strict patterns; no kind but text takes a leading '-'.
valid() {
  local v=$2 item
  case $1 in
    text) true ;;
    # Digits alone are a libvirt id, which another guest may have a moment later.
    domain) [[ $v =~ ^[A-Za-z0-9_][A-Za-z0-9._+:@-]{0,127}$ && ! $v =~ ^[0-9]+$ ]] ;;
    node) [[ $v =~ ^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$ ]] ;;
    domains | nodes | ips)
      [[ $v != *, && $v != ,* ]] || return 1
      local -a items=()
      [[ $v != *$'\n'* ]] && IFS=, read -ra items <<<"$v" && ((${#items[@]})) || return 1
      for item in "${items[@]}"; do valid "${1%s}" "$item" || return 1; done
      ;;
    pfn) [[ $v =~ ^(0x[0-9a-fA-F]{1,10}|0|[1-9][0-9]{0,11})$ ]] ;;
    address) [[ $v =~ ^0x[0-9a-fA-F]{1,13}$ ]] ;;
    # rgmanager names a service by its kind; libvirt guests are of kind vm.
    service) [[ $v =~ ^(vm|service):[A-Za-z0-9_][A-Za-z0-9._+@-]{0,127}$ ]] ;;
    interface) [[ $v =~ ^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$ ]] ;;
    ip) [[ $v =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}$ || ($v =~ ^[0-9a-fA-F:]{2,39}$ && $v == *:*:*) ]] ;;
    bdf) [[ $v =~ ^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$ ]] ;;
    seconds) [[ $v =~ ^[1-9][0-9]{0,4}$ ]] ;;
    number) [[ $v =~ ^(0|[1-9][0-9]{0,8})$ ]] ;;
    path) [[ $v =~ ^/[A-Za-z0-9._+@:/-]*$ && /$v/ != */../* ]] ;;
    # A libvirt URI can name a command to run (ext transport, command=, netcat=).
    uri)
      [[ $v =~ ^[a-z]+(\+[a-z0-9]+)?://([A-Za-z0-9_[][]A-Za-z0-9._:@%[-]*)?(/[A-Za-z0-9._/+:-]*)?(\?[A-Za-z0-9._/=\&:-]*)?$ ]] &&
        [[ $v != *@-* && $v != *+ext:* && $v != *command=* && $v != *netcat=* ]]
      ;;
    url) [[ $v =~ ^https?://[A-Za-z0-9[][]A-Za-z0-9._:[-]*(/[A-Za-z0-9._~/%+:@,-]*)?(\?[A-Za-z0-9._~/%+:@,=\&-]*)?$ ]] ;;
    mail) [[ $v =~ ^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}(@[A-Za-z0-9][A-Za-z0-9.-]{0,252})?$ ]] ;;
    word) [[ $v =~ ^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$ ]] ;;
    *\|*) [[ -n $v && $v != *\|* && "|$1|" == *"|$v|"* ]] ;;
    *) false ;;
  esac
}

parse() {
  local name value
  while (($#)); do
    [[ $1 =~ ^--([a-z][a-z0-9-]*)(=|$) ]] || bad_usage "not an option: $1"
    name=${BASH_REMATCH[1]}
    case $name in
      help) usage && common_options && exit_codes && exit "$DONE" ;;
      dry-run) [[ $1 == --dry-run ]] || bad_usage "--dry-run takes no value"; DRY_RUN=1; shift; continue ;;
    esac
    [[ -n ${KIND[$name]:-} ]] || bad_usage "unknown option --$name"
    if [[ ${KIND[$name]} == flag ]]; then
      [[ $1 == "--$name" ]] || bad_usage "--$name takes no value"
      value=1
      shift
    elif [[ $1 == *=* ]]; then
      value=${1#*=}
      shift
    else
      (($# > 1)) || bad_usage "--$name needs a value"
      value=$2
      shift 2
    fi
    [[ ${KIND[$name]} == flag ]] || valid "${KIND[$name]}" "$value" ||
      bad_usage "--$name: '${value:0:200}' is not a valid ${KIND[$name]}"
    OPT[$name]=$value
  done
  for name in "${!KIND[@]}"; do
    [[ -n ${OPT[$name]+set} ]] || bad_usage "--$name is required"
  done
  UNDO=${OPT[undo]:-0}
}

# with_row OPTION "$@": ARGUMENTS, where a first argument that is no option becomes
# the value of OPTION: a probe gets the row of its lookup that way.
with_row() {
  local option=$1
  shift
  ARGUMENTS=("$@")
  if (($#)) && [[ -n $1 && $1 != -* ]]; then ARGUMENTS=("--$option" "$@"); fi
}

# start "$@": open descriptors, a work directory in memory if possible, the
# options, and the decision document where stdin has one.
start() {
  local dir
  # Asked by name and opened with <>: bash 5.2 loses a descriptor 0 otherwise.
  if [[ -d /proc/self/fd ]]; then
    [[ -e /proc/self/fd/0 ]] || exec 0<>/dev/null
    [[ -e /proc/self/fd/1 ]] || exec 1<>/dev/null
    [[ -e /proc/self/fd/2 ]] || exec 2<>/dev/null
  fi
  parse "$@"
  for dir in "${TMPDIR:-}" /run /dev/shm /tmp; do
    [[ -n $dir ]] && WORK=$(mktemp -d -p "$dir" action.XXXXXX 2>/dev/null) && break
  done
  [[ -n $WORK ]] || finish "$FAILED" "no directory for temporary files is writable"
  trap 'at_exit; rm -rf -- "$WORK"' EXIT
  trap interrupted TERM INT HUP
  # The dispatcher's pipe is emptied, so that it never waits for us.
  [[ -t 0 ]] || IFS= read -r -t 1 -N 262144 DOCUMENT || true
}

# What a script wants done when it is told to stop; each may define its own. ASIDE: a
# process that runs beside it (the virsh of lib-virsh.sh), which at_exit ends.
on_interrupt() { :; }
at_exit() { :; }

# shellcheck disable=SC2317  # called by trap
interrupted() {
  trap '' TERM INT HUP
  # timeout runs the command in a process group of its own and passes TERM on.
  local pid
  for pid in $CHILD $ASIDE; do
    kill -TERM "$pid" 2>/dev/null
    wait "$pid"
  done
  ASIDE=''
  log "told to stop by a signal"
  on_interrupt
  exit "$TIMED_OUT"
}

# short_hostname: VALUE, this host as log lines name it: without the domain.
short_hostname() {
  VALUE=$(hostname 2>/dev/null)
  VALUE=${VALUE%%.*}
  valid node "$VALUE" || finish "$FAILED" "this host has no usable name: $VALUE"
}

# told CODE TEXT: the end of a probe. 0 it is well, 1 it is not, anything else tells
# nothing about it. The text becomes that of the event.
told() {
  local text=${2//[^[:print:]]/?}
  printf '%s\n' "${text:0:500}"
  finish "$1" "$2"
}

# document_id: VALUE, the id of the decision. The dispatcher's document begins with it, so that nothing has
# to be started.
document_id() {
  VALUE=''
  if [[ $DOCUMENT =~ ^\{\"id\":\"([A-Za-z0-9]+)\" ]]; then
    VALUE=${BASH_REMATCH[1]}
    return
  fi
  document_strings id
  [[ ! ${FOUND[id]:-} =~ ^[A-Za-z0-9._:-]{1,128}$ ]] || VALUE=${FOUND[id]}
}

# document_strings KEY...: FOUND[KEY], the string at the top level of the decision document, with
# its JSON escapes as they are; nothing when it is not there.
declare -A FOUND=()
document_strings() {
  local key value
  FOUND=()
  [[ -n $DOCUMENT ]] || return 0
  # A string of JSON has no newline.
  while IFS='=' read -r key value; do FOUND[$key]=$value; done < <(
    # shellcheck disable=SC2016
    timeout -k 1 2 awk -v want=" $* " '
      { text = text $0 " " }
      END {
        n = length(text); depth = 0; key = ""; expect_value = 0
        for (i = 1; i <= n; i++) {
          c = substr(text, i, 1)
          if (c == "\"") {
            for (j = i + 1; j <= n; j++) {
              d = substr(text, j, 1)
              if (d == "\\") j++
              else if (d == "\"") break
            }
            if (j > n) exit
            string = substr(text, i + 1, j - i - 1); i = j
            if (depth == 1 && expect_value) {
              if (index(want, " " key " ") && !(key in told)) { told[key] = 1; printf "%s=%s\n", key, string }
            }
            else if (depth == 1) key = string
          }
          else if (c == "{" || c == "[") depth++
          else if (c == "}" || c == "]") depth--
          else if (c == ":" && depth == 1) expect_value = 1
          else if (c == "," && depth == 1) { expect_value = 0; key = "" }
        }
      }' <<<"$DOCUMENT")
}

# ---------------------------------------------------------------- commands

need() { command -v "$1" >/dev/null 2>&1 || finish "$NOT_HERE" "program not found: $1"; }

# limited SECONDS COMMAND...: run it with a time limit and INPUT on stdin. Sets RC
# (124: the limit), OUT, ERR. The locks (8, 9) and the pipes to a virsh (6, 7) are not
# inherited.
limited() {
  local limit=$1 began=${EPOCHREALTIME/./} took
  shift
  printf '%s' "$INPUT" >"$WORK/in"
  (
    ulimit -f 65536 2>/dev/null
    exec timeout -k "$KILL_AFTER" "$limit" "$@" <"$WORK/in" >"$WORK/out" 2>"$WORK/err" 6<&- 7>&- 8>&- 9>&-
  ) &
  CHILD=$!
  wait "$CHILD"
  RC=$?
  CHILD='' INPUT=''
  took=$((${EPOCHREALTIME/./} - began))
  ((RC == 137 && took >= limit * 1000000)) && RC=124
  # Builtins: at most 1 MiB, NULs dropped, no process started.
  IFS= read -r -N 1048576 OUT <"$WORK/out"
  IFS= read -r -N 65536 ERR <"$WORK/err"
  OUT=${OUT%"${OUT##*[!$'\n']}"} ERR=${ERR%"${ERR##*[!$'\n']}"}
  log_command "$limit" "$took" "$*"
}

# log_command LIMIT MICROSECONDS TEXT: how a command ended, from RC, OUT and ERR.
log_command() {
  local shown="$3: exit $RC, $(($2 / 1000)) ms"
  ((RC == 124)) && shown="$3: stopped after $1 s"
  ((RC == 0)) || shown+=": ${ERR:-$OUT}"
  log "${shown//$'\n'/; }"
}

# change SECONDS COMMAND...: the only way to change anything; printed in a dry run.
change() { only_shown "${@:2}" || limited "$@"; }

# only_shown COMMAND...: in a dry run it is printed, and that is all.
only_shown() {
  ((DRY_RUN)) || return 1
  local text=${*@Q}
  printf '%s%s\n' "$text" "${INPUT:+ <<< ${INPUT@Q}}"
  RC=0 OUT='' ERR='' INPUT=''
}

# run_action SCRIPT ARGUMENTS...: another action of this directory; CODE is what it
# exited with. It runs in our process group, is told to stop when we are, and takes
# part in a dry run.
run_action() {
  local script=$HERE/$1 dry=()
  shift
  ((DRY_RUN)) && dry=(--dry-run)
  "$script" "$@" "${dry[@]}" </dev/null 6<&- 7>&- 8>&- 9>&- &
  CHILD=$!
  wait "$CHILD"
  CODE=$?
  CHILD=''
}

# graver CODE CODE: the one that needs more attention. 5 is nothing to do.
graver() {
  local code
  for code in "$NEEDS_PERSON" "$TIMED_OUT" "$REFUSED" "$FAILED"; do
    [[ $1 == "$code" || $2 == "$code" ]] && printf '%s' "$code" && return
  done
  printf 0
}

# ---------------------------------------------------------------- state

state_dir() {
  [[ -d $STATE/$1 ]] || mkdir -p -- "$STATE/$1" 2>/dev/null
  [[ -d $STATE/$1 && -w $STATE/$1 ]] ||
    finish "$REFUSED" "state directory cannot be written: $STATE/$1"
}

# lock DESCRIPTOR NAME SECONDS: 9 for the object, 8 for the host.
lock() {
  ((DRY_RUN)) && return
  state_dir lock
  if (($1 == 9)); then exec 9>>"$STATE/lock/$2"; else exec 8>>"$STATE/lock/$2"; fi
  flock -w "$3" "$1" || finish "$TIMED_OUT" "another action has held the lock $2 for $3 s"
}

# A marker remembers what we did, so that only that is undone.
# mark TYPE NAME KEY=VALUE...
mark() {
  local file=$STATE/$1/$2 type=$1 time VALUE
  shift 2
  ((DRY_RUN)) && return
  state_dir "$type"
  printf -v time '%(%s)T' -1
  document_id
  if ! printf '%s\n' "$@" "time=$time" "decision=$VALUE" >"$file.new" ||
    ! mv -f -- "$file.new" "$file"; then
    finish "$REFUSED" "marker cannot be written: $file"
  fi
}

# marker TYPE NAME: reads it into MARK, false when there is none.
marker() {
  local key value
  MARK=()
  [[ -f $STATE/$1/$2 ]] || return 1
  while IFS='=' read -r key value; do
    [[ $key =~ ^[a-z]+$ ]] && MARK[$key]=$value
  done <"$STATE/$1/$2"
}

unmark() { ((DRY_RUN)) || rm -f -- "$STATE/$1/$2"; }

# boot_id: VALUE; what was set in /sys is forgotten at the next boot, so its marker
# is worth nothing then.
boot_id() {
  VALUE=unknown
  local file=$SYSROOT/proc/sys/kernel/random/boot_id
  [[ ! -r $file ]] || read -r VALUE <"$file"
}

# in_cpu_list NUMBER LIST: LIST as the kernel writes it, e.g. 0-3,8.
in_cpu_list() {
  local range
  local -a ranges=()
  IFS=, read -ra ranges <<<"$2"
  for range in "${ranges[@]}"; do
    [[ $range =~ ^([0-9]+)(-([0-9]+))?$ ]] || continue
    ((10#${BASH_REMATCH[1]} <= $1 && $1 <= 10#${BASH_REMATCH[3]:-${BASH_REMATCH[1]}})) && return 0
  done
  return 1
}

# wait_until SECONDS COMMAND...: true when it is true within that time. Asks less
# often as time goes on.
wait_until() {
  local end=$((SECONDS + $1)) pause=0.2
  shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep "$pause" &
    CHILD=$!
    wait "$CHILD"
    CHILD=''
    [[ $pause == 2 ]] || { [[ $pause == 0.2 ]] && pause=0.5 || pause=2; }
  done
}

# root_owned FILE: neither it nor the directory it stands in can be changed by
# anybody else. A link is refused: who made it need not own what it names.
root_owned() {
  local place mode owner
  [[ -f $1 && ! -L $1 ]] || return 1
  for place in "$1" "${1%/*}"; do
    read -r owner mode < <(stat -L -c '%u %a' -- "${place:-/}" 2>/dev/null) || return 1
    ((owner == 0 || owner == EUID)) && (((8#$mode & 8#022) == 0)) || return 1
  done
}

# xml_attribute TAG NAME: VALUE, from one line of the XML that pacemaker prints.
xml_attribute() {
  VALUE=''
  [[ $1 =~ [[:space:]]$2=\"([^\"]*)\" ]] && VALUE=${BASH_REMATCH[1]}
}
