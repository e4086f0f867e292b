#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What reaches a terminal: colours and the progress line only there, hostile text never.
. "$(dirname "$0")/lib.sh"
unset NO_COLOR
export TERM=xterm
on_a_terminal() { script -qec "$1" /dev/null </dev/null; }
escape=$(printf '\033')

# SLOWER: how many times longer a sanitized build takes for a line.
for i in $(seq 1 $((200000 / ${SLOWER:-1}))); do echo "Jan  5 10:00:00 kvm1 sshd[$i]: Accepted publickey for root from 10.0.0.1 port 22 ssh2"; done >long.log
echo 'Jan  5 10:00:00 kvm1 kernel: EDAC MC0: 20 CE memory read error on D1 (channel:0 slot:0 page:0x1 offset:0x0 grain:32 syndrome:0x0)' >>long.log
for i in 1 2 3 4; do cat long.log; done >longer.log
replay="$CORRELATOR replay --rules $RULES"

on_a_terminal "$replay --events --block-size 4096 longer.log" >out
contains "colours on a terminal" out "${escape}[33mDECISION"
contains "a progress line on a terminal" out "MB/s"
on_a_terminal "$replay --events --block-size 4096 --no-progress longer.log" >out
check "no progress line if not wanted" sh -c '! grep -q MB/s out'
NO_COLOR=1 on_a_terminal "$replay --events --no-progress long.log" >out
check "NO_COLOR: no colours" sh -c "! grep -q '$escape' out"
TERM=dumb on_a_terminal "$replay --events --block-size 4096 longer.log" >out
check "a dumb terminal gets neither" sh -c "! grep -q '$escape' out"
on_a_terminal "$replay --json --no-progress long.log" >out
check "JSON has no colours" sh -c "! grep -q '$escape' out"
$replay --events --block-size 4096 longer.log >out 2>err
check "no colours in a file" sh -c "! grep -q '$escape' out"
check "no progress line in a file" test ! -s err
on_a_terminal "$CORRELATOR check nowhere" >out
contains "an error has colour on a terminal" out "${escape}["
$CORRELATOR check nowhere >out 2>err
check "and none in a file" sh -c "! grep -q '$escape' err"

# Escape sequences, C1 controls, a bell, marks of direction, characters without width, carriage returns: in the text, the
# label, the programme's name, the name of the file, arguments.
mkdir hostile
hostile=$(printf 'D\033]0;x\007\302\2331m\233\342\200\256\342\200\213\r\b')
printf '2026-01-01T00:00:00Z kvm1 kernel: EDAC MC0: 20 CE memory read error on %sx (channel:0 slot:0 page:0x1 offset:0x0 grain:32 syndrome:0x0)\n' "$hostile" \
  >"hostile/$(printf 'a\033[31m\342\200\256.log')"
# Control characters but newline, C1 as bytes and as UTF-8, U+202E, U+200B: none may be left.
clean() { # NAME COMMAND...
  local name=$1
  shift
  "$@" >shown 2>&1
  if LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]' shown; then fail "$name lets through: $(cat -v shown | head -n 3)"; else pass; fi
}
for form in "" --json; do
  clean "replay $form" "$CORRELATOR" replay --rules "$RULES" --events --windows --state "st$form" $form hostile
  contains "replay $form decided on it" shown dimm.failing
  for command in decisions windows status; do
    clean "$command $form" "$CORRELATOR" "$command" --state "st$form" $form
  done
  id=$("$CORRELATOR" decisions --state "st$form" --json | sed -E 's/.*"id":"([0-9a-f]+)".*/\1/' | head -n 1)
  clean "why $form" "$CORRELATOR" why "$id" --state "st$form" $form
  clean "explain ID $form" "$CORRELATOR" explain "$id" --state "st$form" $form
  clean "explain LINE $form" "$CORRELATOR" explain --rules "$RULES" $form "$(cat hostile/*)"
done
for arguments in "check $hostile" "replay $hostile" "why $hostile --state st" "help $hostile" "replay --from $hostile x" "$hostile" \
  "--$hostile" "replay --$hostile" "replay --year $hostile x"; do
  # shellcheck disable=SC2086
  clean "an error about an argument" "$CORRELATOR" $arguments
done
finish
