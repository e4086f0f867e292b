#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The guest's scripts against a systemctl that answers as systemd's was read to: restart-service, set-weight, service-beat.
. "$SOURCE/tests/e2e/lib.sh"
mkdir actions bin world state
cp "$SOURCE"/actions/lib.sh "$SOURCE"/examples/guest/actions/* actions
export CORRELATOR_ACTION_STATE=$WORK/state WORLD=$WORK/world
cat >bin/systemctl <<'P'
#!/bin/bash
verb=$1
echo "$*" >>"$WORLD/calls"
[[ ! -e $WORLD/hangs ]] || sleep 30
unit=${!#}
name=${unit%.service}
case $verb in
  show)
    if [[ ! -e $WORLD/$name ]]; then echo "LoadState=not-found"; echo "ActiveState=inactive"; exit 0; fi
    echo "LoadState=loaded"
    echo "ActiveState=$(cat "$WORLD/$name")"
    echo "ActiveEnterTimestampMonotonic=$(cat "$WORLD/$name.since" 2>/dev/null || echo 0)"
    ;;
  restart)
    [[ ! -e $WORLD/broken ]] || { echo "Job for $unit failed." >&2; exit 1; }
    cat "$WORLD/after" >"$WORLD/$name" 2>/dev/null || echo active >"$WORLD/$name"
    ;;
  is-active) cat "$WORLD/$name" 2>/dev/null || echo inactive; [[ $(cat "$WORLD/$name" 2>/dev/null) == active ]] ;;
esac
P
cat >bin/logger <<'P'
#!/bin/bash
printf '%s\n' "$*" >>"$WORLD/log"
P
chmod +x bin/*
export PATH=$WORK/bin:$PATH
calls() { grep -c "^$1" world/calls; }
now=$(cut -d. -f1 /proc/uptime)

echo failed >world/nginx
code_of "dry run" 0 actions/restart-service --unit nginx --dry-run
contains "the command" out "'systemctl' 'restart' '--' 'nginx.service'"
same "nothing is done in a dry run" 0 "$(calls restart)"
code_of "a failed unit" 0 actions/restart-service --unit nginx
same "is restarted" "1 active" "$(calls restart) $(cat world/nginx)"
mkdir checks
sick() { printf '#!/bin/sh\necho "no answer"\nexit 1\n' >checks/nginx; chmod +x checks/nginx; }
code_of "one that is active, without a check" 0 actions/restart-service --unit nginx --checks "$WORK/checks"
printf '#!/bin/sh\nexit 0\n' >checks/nginx
chmod +x checks/nginx
code_of "one that is active and answers" 0 actions/restart-service --unit nginx --checks "$WORK/checks"
contains "is left alone" err "is active and answers"
same "both of them" 1 "$(calls restart)"
sick
echo "$(((now - 3) * 1000000))" >world/nginx.since
code_of "one that was started a moment ago" 0 actions/restart-service --unit nginx --checks "$WORK/checks"
same "is left alone" 1 "$(calls restart)"
contains "and why" err "was started"
echo 1000000 >world/nginx.since
[ "$now" -lt 60 ] || { code_of "one that runs for long and does not answer" 0 actions/restart-service --unit nginx --checks "$WORK/checks"; same "is restarted" 2 "$(calls restart)"; }
echo inactive >world/nginx
code_of "one that a person stopped" 3 actions/restart-service --unit nginx
code_of "one that is not there" 5 actions/restart-service --unit cups
for name in '-rf' 'a b' '../x' 'a;b' '' "$(printf 'a\nb')" '*'; do
  code_of "a name such as '$name'" 2 actions/restart-service --unit "$name"
done
echo failed >world/postgresql@15-main
code_of "an instance" 0 actions/restart-service --unit postgresql@15-main
echo failed >world/nginx
echo activating >world/after
code_of "restarted and not active" 1 actions/restart-service --unit nginx
rm world/after
echo failed >world/nginx
: >world/broken
code_of "systemd says no" 1 actions/restart-service --unit nginx
rm world/broken
: >world/hangs
SECONDS=0
code_of "systemd hangs" 4 timeout 40 actions/restart-service --unit nginx
check "and no longer than the time limit of a question" test "$SECONDS" -lt 20
rm world/hangs

mkdir -m 0755 run
code_of "a weight" 0 actions/set-weight --weight 10 --file "$WORK/run/weight"
same "is in the file" 10 "$(cat run/weight)"
same "which others may read" 644 "$(stat -c %a run/weight)"
code_of "the same again" 0 actions/set-weight --weight 10 --file "$WORK/run/weight"
contains "is none" err "already"
code_of "dry run" 0 actions/set-weight --weight 0 --file "$WORK/run/weight" --dry-run
same "changes nothing" 10 "$(cat run/weight)"
code_of "100" 0 actions/set-weight --weight 100 --file "$WORK/run/weight"
code_of "101" 2 actions/set-weight --weight 101 --file "$WORK/run/weight"
code_of "-1" 2 actions/set-weight --weight -1 --file "$WORK/run/weight"
code_of "no directory" 3 actions/set-weight --weight 1 --file "$WORK/nowhere/weight"
chmod 0777 run
code_of "a directory for everybody" 3 actions/set-weight --weight 1 --file "$WORK/run/weight"
same "nothing is left beside it" weight "$(ls run)"

beat() { : >world/log; sh "$SOURCE/examples/guest/service-beat" "$@"; cat world/log; }
echo active >world/nginx
same "an active service" "-t service-beat -p daemon.info -- nginx: the service answers" "$(beat nginx)"
echo failed >world/nginx
same "a failed one" "-t service-beat -p daemon.warning -- nginx failed: systemd says failed" "$(beat nginx)"
finish
