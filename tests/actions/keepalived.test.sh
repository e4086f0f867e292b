# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

router() {
  fresh "$1"
  mkdir -p "$WORLD"/net/{local,answers,arp} "$WORLD/root/tracked" "$WORLD/root/run"
  chmod -R go-w "$WORLD/root/tracked"
  echo 0 >"$WORLD/root/tracked/file"
  chmod 644 "$WORLD/root/tracked/file"
  echo $$ >"$WORLD/root/run/keepalived.pid"
  echo 10.0.0.100 >"$WORLD/net/keepalived"
  : >"$WORLD/net/local/10.0.0.100"
  : >"$WORLD/net/answers/10.0.0.2"
}
standby() { run keepalived-standby --address 10.0.0.100 --peer 10.0.0.2 --file /tracked/file "$@"; }
tracked() { cat "$WORLD/root/tracked/file"; }

router 'the address goes to the other router, and our file is taken back'
standby
exits 0
check file 1 "$(tracked)"
says 'answers from another host'
standby
exits 0
standby --undo
exits 0
check file 0 "$(tracked)"
standby --undo
exits 0

router 'no peer answers'
rm "$WORLD/net/answers/10.0.0.2"
standby
exits 6
check file 0 "$(tracked)"
router 'the peer is this host'
: >"$WORLD/net/local/10.0.0.2"
standby
exits 3
router 'the peer answers, but does not take it: taken back'
touch "$WORLD/net/alone"
standby --timeout 1
exits 6
check file 0 "$(tracked)"
says 'taken back'
router 'keepalived does not track the file'
rm "$WORLD/net/keepalived"
: >"$WORLD/net/local/10.0.0.100"
standby --timeout 1
exits 1
says 'does keepalived track'
router 'written by somebody else'
echo 1 >"$WORLD/root/tracked/file"
standby
exits 0
standby --undo
exits 3
check file 1 "$(tracked)"
router 'keepalived does not run'
echo 999999999 >"$WORLD/root/run/keepalived.pid"
standby
exits 3
router 'no file; one that others can change; a link'
chmod 666 "$WORLD/root/tracked/file"
standby
exits 3
says 'can be changed by others'
chmod 644 "$WORLD/root/tracked/file"
chmod 777 "$WORLD/root/tracked"
standby
exits 3
chmod 755 "$WORLD/root/tracked"
mv "$WORLD/root/tracked/file" "$WORLD/root/tracked/other"
ln -s other "$WORLD/root/tracked/file"
standby
exits 3
rm "$WORLD/root/tracked/file"
standby
exits 3
says 'no tracked file'
router 'dry run'
dry keepalived-standby --address 10.0.0.100 --peer 10.0.0.2 --file /tracked/file
exits 0
check output "'tee' '$WORLD/root/tracked/file' <<< '1'" "$(cat "$WORLD/out")"
for bad in '' x 10.0.0 '10.0.0.1,' -1 '10.0.0.1;x' $'10.0.0.1\n'; do
  router "hostile: $bad"
  run keepalived-standby --address "$bad" --peer 10.0.0.2
  exits 2
done

report
