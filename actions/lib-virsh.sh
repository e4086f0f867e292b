# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2153  # variables are read by the scripts
# What is known about virsh and its guests. Sourced after lib.sh.

# ---------------------------------------------------------------- one virsh for all questions

# Most of what a virsh costs is its start (20 ms of 23), so one answers all questions of a script. It reads its
# commands from a pipe (7) and complains on another (6); what it prints goes into a file, for which no answer is
# too long. How a command ended it does not say: an error is a line on stderr, as for a person who types. Behind
# each command follows a word that is none. The complaint about it, which virsh writes after all else it had to
# say, is the end of the answer.
ASKED=0 SESSION_END=0

# virsh_open LIMIT: there is a virsh that will not be stopped within LIMIT seconds.
virsh_open() {
  local longest=${OPT[timeout]:-0} both
  [[ -z $ASIDE ]] || ((SECONDS + $1 < SESSION_END)) || virsh_close
  [[ -z $ASIDE ]] || return 0
  longest=$(($1 > longest ? $1 + 60 : longest + 60))
  SESSION_END=$((SECONDS + longest))
  trap : PIPE  # that it has ended is seen by its answer
  # A pipe, of which each of us has one end, without a program that makes it.
  exec {both}<> <(:)
  exec 7>"/proc/self/fd/$both" 6< <(virsh_process "$longest" "$both")
  ASIDE=$!
  exec {both}>&-
}

# virsh_process SECONDS PIPE: like all commands under `timeout`, whatever becomes of us. What a person typed at
# virsh and how (history, inputrc) is neither used nor changed; a daemon of the session, which virsh starts
# where there is none, gets its cache.
virsh_process() {
  ulimit -f 65536 2>/dev/null
  export INPUTRC=/dev/null TERM=dumb
  [[ ${OPT[connect]} == */session* ]] || export XDG_CACHE_HOME=/dev/null
  exec timeout -k "$KILL_AFTER" "$1" virsh -q -c "${OPT[connect]}" \
    <"/proc/self/fd/$2" 2>&1 >>"$WORK/virsh" {both}>&- 6<&- 7>&- 8>&- 9>&-
}

# virsh_close [now]: it ends when its pipe does, and is stopped when it does not.
virsh_close() {
  local rest pid=$ASIDE how=${1:-}
  [[ -n $pid ]] || return 0
  exec 7>&-
  while [[ -z $how ]]; do
    IFS= read -r -t "$KILL_AFTER" -u 6 rest || how=$(($? > 128))
  done
  [[ $how == 0 ]] || kill -TERM "$pid" 2>/dev/null
  wait "$pid" 2>/dev/null
  ASIDE=''
  exec 6<&-
}
# shellcheck disable=SC2317  # called by trap
at_exit() { virsh_close; }

# virsh_limited SECONDS COMMAND...: as `limited`, by that virsh. RC is 1 when it complained.
virsh_limited() {
  local began=${EPOCHREALTIME/./} limit=$1 took word
  shift
  # It parses what it reads, so what would be more to it than one word is not written to it.
  for word; do [[ $word =~ ^[A-Za-z0-9_.:@/=,+-]+$ ]] || finish "$FAILED" "not a word for virsh: $word"; done
  virsh_open "$limit"
  END=answered-$((++ASKED))-$RANDOM$RANDOM
  RC=0 OUT='' ERR=''
  : >"$WORK/virsh"
  printf '%s\n%s\n' "$*" "$END" 2>/dev/null >&7
  if ! virsh_listen "$((began + limit * 1000000))"; then
    if ((RC == 124)); then virsh_close now; else virsh_close; fi
  fi
  virsh_printed "$*"
  took=$((${EPOCHREALTIME/./} - began))
  log_command "$limit" "$took" "virsh -c ${OPT[connect]} $*"
}

# virsh_listen UNTIL: reads ERR up to END and sets RC; false when END did not come.
virsh_listen() {
  local left line failed=0
  while :; do
    left=$(($1 - ${EPOCHREALTIME/./}))
    ((left > 0)) || { RC=124; return 1; }
    printf -v left '%d.%06d' $((left / 1000000)) $((left % 1000000))
    IFS= read -r -t "$left" -u 6 line || RC=$?
    if ((RC > 128)); then RC=124; return 1; fi  # no answer in time
    ((RC == 0)) || return 1                     # it has ended
    [[ $line != *"'$END'"* ]] || { RC=$failed; return 0; }
    [[ $line != *"'/dev/null/libvirt/virsh'"* ]] || continue  # the history that it may not write
    ERR+=$line$'\n'
    # It connects anew by itself, as the next virsh would have, and says so as an error.
    case $line in
      'error: Disconnected from '* | 'error: Reconnected to '*) ;;
      'error: '*) failed=1 ;;
    esac
  done
}

# virsh_printed COMMAND: OUT and ERR, without what is meant for a person who types: a prompt before and behind,
# and in most builds the command itself.
virsh_printed() {
  local prompt='virsh # '
  IFS= read -r -N 1048576 OUT <"$WORK/virsh"
  while [[ $OUT == "$prompt"* ]]; do OUT=${OUT#"$prompt"}; done
  OUT=${OUT#"$1"$'\n'}
  OUT=${OUT%"$prompt"}
  OUT=${OUT%"$END"$'\n'}
  OUT=${OUT%"$prompt"}
  OUT=${OUT%"${OUT##*[!$'\n']}"} ERR=${ERR%"${ERR##*[!$'\n']}"}
}

virsh_ask() { virsh_limited "$ASK_LIMIT" "$@"; }

# virsh_change SECONDS COMMAND...: a change that is done in a moment. One that takes long has a virsh of its own
# (`change`), so that this one can be asked how it goes.
virsh_change() { only_shown virsh -c "${OPT[connect]}" "${@:2}" || virsh_limited "$@"; }

# ---------------------------------------------------------------- guests

# virsh returns 1 for every failure; only the text differs.
virsh_failed() {
  ((RC == 124)) && finish "$TIMED_OUT" "$1: virsh did not answer"
  case $ERR in
    *'failed to connect to the hypervisor'* | *'Failed to connect socket'* | *'End of file while reading data'* | *'Connection reset by peer'*)
      finish "$REFUSED" "$1: libvirt does not answer at ${OPT[connect]}" ;;
    *'failed to get domain'* | *'Domain not found'*)
      finish "$NOT_HERE" "$1: ${OPT[domain]} is unknown on this host" ;;
    *'cannot acquire state change lock'*)
      finish "$TIMED_OUT" "$1: another job holds ${OPT[domain]}, or its QEMU hangs" ;;
    *'domain is not running'*) finish "$REFUSED" "$1: ${OPT[domain]} is not running" ;;
  esac
  finish "$FAILED" "$1 failed"
}

# read_domain: UUID NAME ID MEMORY_KIB of --domain; false when it is unknown here.
read_domain() {
  UUID='' NAME='' ID='' MEMORY_KIB=0
  virsh_ask dominfo "${OPT[domain]}"
  if ((RC)); then
    [[ $ERR == *'failed to get domain'* || $ERR == *'Domain not found'* ]] && return 1
    virsh_failed "looking for ${OPT[domain]}"
  fi
  local key value
  while IFS=: read -r key value; do
    read -r value <<<"$value"
    case $key in
      Id) ID=$value ;;
      Name) NAME=$value ;;
      UUID) UUID=$value ;;
      'Max memory') [[ $value =~ ^([0-9]{1,15})\ KiB$ ]] && MEMORY_KIB=${BASH_REMATCH[1]} ;;
    esac
  done <<<"$OUT"
  [[ $UUID =~ ^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$ ]] ||
    finish "$FAILED" "virsh dominfo gave no UUID for ${OPT[domain]}"
}

# read_state: DOMAIN_STATE and DOMAIN_REASON, e.g. "paused" and "user".
read_state() {
  virsh_ask domstate "${OPT[domain]}" --reason
  ((RC == 0)) || virsh_failed "asking for the state of ${OPT[domain]}"
  split_state
}

split_state() {
  local line=${OUT%%$'\n'*}
  DOMAIN_STATE=${line%% (*} DOMAIN_REASON=''
  [[ $line =~ \((.*)\)$ ]] && DOMAIN_REASON=${BASH_REMATCH[1]}
  DOMAIN_TEXT=$line
}

# open_domain: find the domain, lock it, read its state.
open_domain() {
  need virsh
  need flock
  read_domain || finish "$NOT_HERE" "${OPT[domain]} is unknown on this host"
  lock 9 "domain-$UUID" "${OPT[lock-wait]}"
  read_state
}

# job_under_way: sets JOB to the operation, false when there is none.
job_under_way() {
  JOB=''
  virsh_ask domjobinfo "${OPT[domain]}"
  ((RC == 0)) || return 1
  [[ $OUT =~ Job\ type:[[:space:]]+([A-Za-z]+) ]] || return 1
  case ${BASH_REMATCH[1]} in None | Completed | Failed | Cancelled) return 1 ;; esac
  JOB='a job'
  [[ $OUT =~ Operation:[[:space:]]+([A-Za-z\ ]+) ]] && JOB=${BASH_REMATCH[1]}
  return 0
}

# Killing virsh does not end the job it began: ask, abort, ask again. True when no
# job is left. A QEMU that hangs answers nothing; the job may then end much later.
stop_job() {
  local ASK_LIMIT=5
  job_under_way || { ((RC == 0)) && return 0; log "cannot tell whether a job is under way"; return 1; }
  virsh_change "$ASK_LIMIT" domjobabort "${OPT[domain]}"
  local try
  for try in 1 2 3 4 5; do
    job_under_way || return "$RC"
    sleep "0.$try"
  done
  log "$JOB of ${OPT[domain]} is still under way"
  return 1
}

# holds_device: a device of the host is passed through to the guest. A network
# device with a stand-by partner (teaming) is unplugged on the way and is none.
holds_device() {
  virsh_ask dumpxml "${OPT[domain]}"
  ((RC == 0)) || virsh_failed "reading the definition of ${OPT[domain]}"
  [[ ($OUT == *'<hostdev '* || $OUT == *"<interface type='hostdev'"*) && $OUT != *'<teaming '* ]]
}

# room_for_memory DIR: refused unless all of the guest's RAM and --keep-free fit.
room_for_memory() {
  ((MEMORY_KIB > 0)) || finish "$FAILED" "virsh dominfo gave no memory size for ${OPT[domain]}"
  limited 10 df -P -k -- "$1"
  [[ ${OUT##*$'\n'} =~ ^.+\ +[0-9]+\ +[0-9]+\ +([0-9]+)\ +[0-9]+%\  ]] || finish "$REFUSED" "free space of $1 is unknown"
  local free=${BASH_REMATCH[1]} wanted
  wanted=$((MEMORY_KIB + ${OPT[keep-free]} * 1024))
  ((free >= wanted)) || finish "$REFUSED" "$1 has $((free / 1024)) MiB free, $((wanted / 1024)) MiB are wanted"
}

# was_hit: did QEMU of this guest report a memory error since it was started? Such
# a guest cannot be migrated (QEMU 9 refuses, older ones crash it on the way), and
# a dump reads the bad page.
was_hit() {
  local file=$SYSROOT/var/log/libvirt/qemu/$NAME.log
  valid domain "$NAME" && [[ -r $file ]] || return 1
  limited 10 awk '/: starting up/ { hit = 0 }
    /BUS_MCEERR_A[RO]|Memory Error on large page|[Hh]ardware memory error/ { hit = 1 }
    END { print hit + 0 }' "$file"
  [[ $OUT == 1 ]]
}

# cluster_resource_of NAME: the VirtualDomain resource that owns the guest, if any.
# A guest moved behind the cluster's back is started twice or stopped.
cluster_resource_of() {
  local line primitive='' config
  RESOURCE=''
  command -v cibadmin >/dev/null 2>&1 || return 1
  limited "$ASK_LIMIT" cibadmin --query --xpath "//primitive[@type='VirtualDomain']"
  if ((RC)); then
    # 105, or 6 in pacemaker 1: no such resource.
    ((RC == 105 || RC == 6)) && return 1
    [[ -e $SYSROOT/var/lib/pacemaker/cib/cib.xml ]] || return 1
    finish "$REFUSED" "pacemaker is set up here but does not answer: cannot tell who owns $NAME"
  fi
  while IFS= read -r line; do
    if [[ $line == *'<primitive '* ]]; then
      xml_attribute "$line" id
      primitive=$VALUE RESOURCE=$VALUE
      [[ $primitive == "$NAME" ]] && return 0
    fi
    [[ $line == *'<nvpair '*' name="config"'* ]] || continue
    xml_attribute "$line" value
    config=$VALUE
    if [[ ${config##*/} == "$NAME.xml" ]] || grep -qsF -- "<name>$NAME</name>" "$SYSROOT$config"; then
      RESOURCE=$primitive
      return 0
    fi
  done <<<"${OUT//></>$'\n'<}"
  return 1
}
