# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

# m1 is this host; it runs a guest and a service.
cluster() {
  fresh "$1"
  mkdir -p "$WORLD"/rg/nodes/m{1,2} "$WORLD"/rg/services/{vm:web,service:nfs,vm:other}
  printf 1 >"$WORLD/rg/nodes/m1/local"
  printf m1 >"$WORLD/rg/services/vm:web/owner"
  printf m1 >"$WORLD/rg/services/service:nfs/owner"
  printf m2 >"$WORLD/rg/services/vm:other/owner"
}
owner() { cat "$WORLD/rg/services/$1/owner"; }
move() { run rgmanager-relocate --to m2 "$@"; }

cluster 'a guest moves live, and back'
move --service vm:web
exits 0
called 'clusvcadm -M vm:web -m m2'
check owner m2 "$(owner vm:web)"
move --service vm:web
exits 0
not_called clusvcadm
move --service vm:web --undo
exits 0
called 'clusvcadm -M vm:web -m m1'
check owner m1 "$(owner vm:web)"
move --service vm:web --undo
exits 3

cluster 'a guest that was hit is restarted there'
move --service vm:web --restart
exits 0
called 'clusvcadm -r vm:web -m m2'

cluster 'a service is started when clusvcadm is long back'
move --service service:nfs
exits 0
called 'clusvcadm -r service:nfs -m m2'
says 'service:nfs is started on m2'

cluster 'all of this host'
move
exits 0
says '2 of 2 service(s) on m2'
not_called vm:other

cluster 'moved on by somebody since: left there'
move --service vm:web
printf m3 >"$WORLD/rg/services/vm:web/owner"
move --service vm:web --undo
exits 3
not_called clusvcadm

cluster 'no quorum'
printf 0 >"$WORLD/rg/quorate"
move
exits 3
cluster 'the other member is down'
printf 0 >"$WORLD/rg/nodes/m2/up"
move
exits 3
not_called clusvcadm
cluster 'to itself'
run rgmanager-relocate --to m1
exits 3
cluster 'unknown member, unknown service'
run rgmanager-relocate --to m9
exits 3
move --service vm:none
exits 5
cluster 'frozen, stopped'
printf frozen >"$WORLD/rg/services/vm:web/flags"
move --service vm:web
exits 3
says 'is frozen'
printf stopped >"$WORLD/rg/services/service:nfs/state"
move --service service:nfs
exits 3
cluster 'not running'
touch "$WORLD/rg/down"
move
exits 3
cluster 'fails, it stays'
touch "$WORLD/rg/fail-clusvcadm"
move --service vm:web
exits 1
says 'it runs on m1'
cluster 'fails on the way'
touch "$WORLD/rg/lose"
move
exits 6
says '0 of 2'
cluster 'does not get started'
touch "$WORLD/rg/slow"
move --service service:nfs --timeout 1
exits 4
cluster 'hang'
touch "$WORLD/rg/hang-clusvcadm"
move --service vm:web --timeout 1
exits 4
cluster 'dry run'
dry rgmanager-relocate --to m2
exits 0
check output $'\'clusvcadm\' \'-r\' \'service:nfs\' \'-m\' \'m2\'\n\'clusvcadm\' \'-M\' \'vm:web\' \'-m\' \'m2\'' "$(cat "$WORLD/out")"
# shellcheck disable=SC2016
for bad in web 'vm:' 'vm:-x' 'vm:a b' 'vm:$(x)' 'script:x' $'vm:a\nb'; do
  cluster "hostile: $bad"
  move --service "$bad"
  exits 2
  check 'nothing called' '' "$(cat "$WORLD/calls")"
done

report
