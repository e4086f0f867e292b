# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

# What crm-standby does with each of its tools, and pcs-standby.
for how in 'crm-standby' 'crm-standby --with crm_standby' 'crm-standby --with crm_attribute' 'pcs-standby'; do
  read -ra with <<<"$how"
  standby() { run "${with[@]}" "$@"; }
  name() { printf '%s: %s' "$how" "$1"; }
  case $how in
    crm-standby) command='crm node standby nodeA forever' back='crm node online nodeA' tool=crm ;;
    pcs-standby) command='pcs node standby nodeA' back='pcs node unstandby nodeA' tool=pcs ;;
    *crm_standby) command='crm_standby --node nodeA --update on --lifetime forever'
      back='crm_standby --node nodeA --delete --lifetime forever' tool=crm_standby ;;
    *) command='crm_attribute --node nodeA --name standby --update on --lifetime forever'
      back='crm_attribute --node nodeA --name standby --delete --lifetime forever' tool=crm_attribute ;;
  esac

  fresh "$(name 'this host')"
  standby
  exits 0
  called "$command"
  called 'crm_resource --wait'
  check standby true "$(standby_of nodeA)"
  says 'nodeA is in standby and runs no resource'
  standby
  exits 0
  says 'already'
  not_called "$command"
  standby --undo
  exits 0
  called "$back"
  check standby false "$(standby_of nodeA)"
  standby --undo
  exits 0
  not_called "$back"

  fresh "$(name 'a node by name')"
  standby --node nodeB
  exits 0
  check standby true "$(standby_of nodeB)"

  fresh "$(name 'unknown node')"
  standby --node nodeC
  exits 5

  fresh "$(name 'cluster down')"
  touch "$WORLD/cluster/down"
  standby --node nodeA
  exits 3
  says 'the cluster is not running'

  fresh "$(name 'the last node: the other in standby')"
  node nodeB true true 0
  standby
  exits 6
  says 'the last healthy node'
  not_called "$command"
  check standby false "$(standby_of nodeA)"

  fresh "$(name 'another node goes at the same time')"
  printf nodeB >"$WORLD/cluster/race"
  standby
  exits 6
  called "$back"
  check standby false "$(standby_of nodeA)"

  fresh "$(name 'the tool fails')"
  touch "$WORLD/cluster/fail-$tool"
  standby
  exits 1
  check 'no marker' '' "$(find "$WORLD/state/standby" -type f)"

  fresh "$(name 'dry run')"
  dry "${with[@]}"
  exits 0
  # shellcheck disable=SC2086
  check output "$(printf "'%s' " $command | sed 's/ $//')" "$(cat "$WORLD/out")"
  node nodeB true true 0
  dry "${with[@]}"
  exits 6
  check output '' "$(cat "$WORLD/out")"
done

# The guards are common code: once is enough.
fresh 'no quorum'
printf false >"$WORLD/cluster/quorum"
run crm-standby
exits 3
says 'no quorum'
not_called 'crm node'

fresh 'the last node: the other offline'
node nodeB false false 0
run crm-standby
exits 6

fresh 'the last node: the other unclean'
printf true >"$WORLD/cluster/nodes/nodeB/unclean"
run crm-standby
exits 6

fresh 'one of three is in standby already'
node nodeB true true 0
node nodeC true false 0
run crm-standby
exits 6
says 'the limit is 1'
run crm-standby --max-standby 2
exits 0

fresh 'a resource does not move'
touch "$WORLD/cluster/stuck"
run crm-standby
exits 1
says 'still runs 2 resource(s)'

fresh 'the moves take too long'
touch "$WORLD/cluster/slow"
run crm-standby --timeout 1
exits 4
check 'stays in standby' true "$(standby_of nodeA)"

fresh 'put in standby by somebody else'
node nodeA true true 0
run crm-standby
exits 0
run crm-standby --undo
exits 3
says 'not put in standby by this action'
check standby true "$(standby_of nodeA)"

fresh 'maintenance mode'
printf true >"$WORLD/cluster/maintenance"
run crm-standby
exits 3

fresh 'not online'
node nodeA false false 0
run crm-standby
exits 3

fresh 'the cluster hangs'
touch "$WORLD/cluster/hang-crm_node"
env -i PATH="$BIN" WORLD="$WORLD" CORRELATOR_ACTION_STATE="$WORLD/state" "$ACTIONS/crm-standby" \
  </dev/null >"$WORLD/out" 2>"$WORLD/err" &
script=$!
for ((i = 0; i < 900; ++i)); do grep -q crm_node "$WORLD/calls" && break; sleep 0.1; done
kill -TERM "$script"
wait "$script"
code=$?
exits 4

fresh 'crmsh is missing: pacemaker has its own tools'
rm "$BIN/crm"
run crm-standby
exits 0
called 'crm_standby --node nodeA'
run crm-standby --undo
exits 0
rm "$BIN/crm_standby"
run crm-standby
exits 0
called 'crm_attribute --node nodeA'
run crm-standby --undo
exits 0
run crm-standby --with crm
exits 5

# One script in the whole cluster at a time, by a claim in its configuration.
install_stand_ins
claim_of() { printf '%s' "$1" >"$WORLD/cluster/claim"; }
fresh 'the script of another node is at work'
claim_of "nodeB $(date +%s) 77"
run crm-standby --lock-wait 1
exits 4
says 'a standby from nodeB has been under way'
not_called 'crm node'
check 'its claim stays' yes "$(holds "$WORLD/cluster/claim" nodeB)"
printf 3 >"$WORLD/cluster/left-after"
run crm-standby --lock-wait 20
exits 0
check 'no claim is left' no "$([[ -e $WORLD/cluster/claim ]] && echo yes || echo no)"

fresh 'the script of another node was first'
claim_of "nodeB $(date +%s) 77"
printf 1 >"$WORLD/cluster/left-after"
node nodeB true true 0
run crm-standby --lock-wait 20
exits 6
not_called 'crm node'
check 'no claim is left' no "$([[ -e $WORLD/cluster/claim ]] && echo yes || echo no)"

# A script that was killed leaves its claim.
left() { # NAME CLAIM
  fresh "a claim is left: $1"
  claim_of "$2"
  run crm-standby --lock-wait 1
  exits 0
  says 'removing the claim'
  check 'no claim is left' no "$([[ -e $WORLD/cluster/claim ]] && echo yes || echo no)"
}
left 'of this host' "nodeA $(date +%s) 77"
left 'old' "nodeB $(($(date +%s) - 301)) 77"
left 'of a node that is unknown' "nodeC $(date +%s) 77"
fresh 'a claim is young enough'
claim_of "nodeB $(($(date +%s) - 290)) 77"
run crm-standby --lock-wait 1
exits 4
fresh 'a claim of nobody'
claim_of "') or ('1"
run crm-standby
exits 6
says 'remove it'

fresh 'the cluster takes no changes'
touch "$WORLD/cluster/fail-cibadmin"
run crm-standby
exits 1
says 'takes no changes'
not_called 'crm node'

# Whoever leaves gives up the claim, also when told to by a signal; unless the standby may still take effect.
fresh 'refused with the claim in hand'
touch "$WORLD/cluster/fail-crm"
run crm-standby
exits 1
check 'no claim is left' no "$([[ -e $WORLD/cluster/claim ]] && echo yes || echo no)"
fresh 'told to stop with the claim in hand'
touch "$WORLD/cluster/hang-crm"
env -i PATH="$BIN" WORLD="$WORLD" CORRELATOR_ACTION_STATE="$WORLD/state" "$ACTIONS/crm-standby" \
  </dev/null >"$WORLD/out" 2>"$WORLD/err" &
script=$!
for ((i = 0; i < 900; ++i)); do grep -q '^crm node' "$WORLD/calls" && break; sleep 0.1; done
kill -TERM "$script"
wait "$script"
code=$?
exits 4
check 'no claim is left' no "$([[ -e $WORLD/cluster/claim ]] && echo yes || echo no)"

rm "$BIN/crm"
fresh 'an unmanaged resource stays: only one that was named is put up with'
mkdir -p "$WORLD/cluster/resources/res1"
echo nodeA >"$WORLD/cluster/resources/res1/node"
echo false >"$WORLD/cluster/resources/res1/managed"
run crm-standby
exits 1
says 'still runs 1 resource(s)'
run crm-standby --stays other
exits 1
run crm-standby --stays res1
exits 0
says 'runs no resource but res1'

fresh 'until the next boot'
run crm-standby --lifetime reboot
exits 0
called '--lifetime reboot'
run crm-standby --undo
exits 0
called '--delete --lifetime reboot'

report
