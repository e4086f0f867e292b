# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"

migrate() { run migrate-guest --domain vm1 --to kvm2 "$@"; }

fresh 'a running guest'
migrate
exits 0
called 'migrate --live --persistent --undefinesource --auto-converge --abort-on-error --timeout 120 --timeout-suspend vm1 qemu+ssh://kvm2/system?no_tty=1'
check 'there' 'running (migrated)' "$(state vm1 there)"
check 'here' absent "$(state vm1)"
migrate
exits 0
says 'on kvm2 already'
not_called ' migrate '

fresh 'a suspended guest stays suspended'
set_guest vm1 state 'paused (user)'
migrate
exits 0
check 'there' 'paused (user)' "$(state vm1 there)"

fresh 'options reach virsh'
migrate --p2p --copy-storage --suspend-after 60 --dest-uri qemu+tcp://10.0.0.2/system --migrate-uri tcp://10.0.0.2
exits 0
called '--timeout 60 --timeout-suspend --p2p --copy-storage-all vm1 qemu+tcp://10.0.0.2/system tcp://10.0.0.2'

fresh 'unknown on both hosts'
run migrate-guest --domain vm9 --to kvm2
exits 5

fresh 'shut off here'
set_guest vm1 state 'shut off (destroyed)'
migrate
exits 5

fresh 'crashed'
set_guest vm1 state 'crashed (panicked)'
migrate
exits 3
says 'is dumped and restarted'
not_called ' migrate '

fresh 'libvirtd down here'
touch "$WORLD/here/down"
migrate
exits 3

fresh 'destination down'
touch "$WORLD/there/down"
migrate
exits 3
says 'the destination does not answer'
check 'here' 'running (booted)' "$(state vm1)"

fresh 'destination is this host'
echo kvm1 >"$WORLD/there/name"
migrate
exits 3
says 'the destination is this host'

fresh 'poisoned: QEMU refuses'
echo "internal error: unable to execute QEMU command 'migrate': Can't migrate this vm with hardware poisoned memory, please reboot the vm and try again" >"$WORLD/fail-migrate"
migrate
exits 6
says 'restart it elsewhere'
check 'here' 'running (booted)' "$(state vm1)"

fresh 'poisoned: an older QEMU would crash, its log tells before'
qemu_log vm1 'warning: Guest MCE Memory Error at QEMU addr 0x7f00 and GUEST addr 0x1000 of type BUS_MCEERR_AO injected'
migrate
exits 6
not_called ' migrate '
migrate --was-reset
exits 0

fresh 'fails'
echo 'operation failed: migration out job: unexpectedly failed' >"$WORLD/fail-migrate"
migrate
exits 1
says 'vm1 is running (booted) here'

fresh 'fails, and the guest is left paused'
echo 'operation failed' >"$WORLD/fail-migrate"
# shellcheck disable=SC2016
printf '#!/bin/bash\n# paused by the failing migration\ncase " $* " in *" migrate "*) echo "paused (migrating)" >"$WORLD/here/domains/vm1/state" ;; esac\nexec "%s" "$@"\n' "$TESTS/stand-ins/virsh" >"$BASE/paused-virsh"
chmod +x "$BASE/paused-virsh"
ln -sf "$BASE/paused-virsh" "$BIN/virsh"
migrate
exits 6
says 'is paused (migrating) after the migration failed'
install_stand_ins

fresh 'hang: virsh stopped and the job aborted'
touch "$WORLD/hang-migrate"
migrate --timeout 1
exits 4
called domjobabort
says 'aborted after 1 s'
check 'no job' no "$([[ -e $WORLD/here/domains/vm1/job ]] && echo yes || echo no)"

fresh 'hang, job cannot be aborted'
touch "$WORLD/hang-migrate" "$WORLD/job-stuck"
migrate --timeout 1
exits 4
says 'could not be aborted'
rm "$WORLD/hang-migrate"
migrate
exits 3
says 'migrate of vm1 is under way'

fresh 'success reported, nothing there'
touch "$WORLD/lie-migrate"
migrate
exits 6

cluster_xml() {
  cat >"$WORLD/cluster/cib.xml" <<XML
<xpath-query>
<primitive id="$1" class="ocf" provider="heartbeat" type="VirtualDomain"><instance_attributes id="i"><nvpair id="n1" name="hypervisor" value="qemu:///system"/><nvpair id="n2" name="config" value="$2"/></instance_attributes></primitive>
</xpath-query>
XML
}
for shape in 'r1 /etc/libvirt/qemu/vm1.xml' 'vm1 /srv/x.xml' 'r1 /srv/defs.xml'; do
  fresh "belongs to a pacemaker resource: $shape"
  mkdir -p "$WORLD/root/srv"
  echo '<domain><name>vm1</name></domain>' >"$WORLD/root/srv/defs.xml"
  cluster_xml "${shape% *}" "${shape#* }"
  migrate
  exits 3
  says 'belongs to the cluster'
  not_called ' migrate '
done
fresh 'the resource of another guest'
cluster_xml r1 /etc/libvirt/qemu/vm11.xml
migrate
exits 0
fresh 'pacemaker set up, but silent'
touch "$WORLD/cluster/down"
mkdir -p "$WORLD/root/var/lib/pacemaker/cib"
touch "$WORLD/root/var/lib/pacemaker/cib/cib.xml"
migrate
exits 3
says 'cannot tell who owns vm1'
rm "$WORLD/root/var/lib/pacemaker/cib/cib.xml"
migrate
exits 0

fresh 'passed-through device'
echo "<hostdev mode='subsystem' type='pci' managed='yes'/>" >"$WORLD/here/domains/vm1/xml"
migrate
exits 6
echo "<interface type='hostdev'><teaming type='transient' persistent='ua-b'/></interface><hostdev mode='x'/>" >"$WORLD/here/domains/vm1/xml"
migrate
exits 0

fresh 'one migration at a time'
mkdir -p "$WORLD/state/lock"
exec 7>"$WORLD/state/lock/migration"
flock 7
migrate --lock-wait 1
exits 4
exec 7>&-

fresh 'dry run'
dry migrate-guest --domain vm1 --to kvm2
exits 0
says "'migrate' '--live' '--persistent'" out
check 'one line' 1 "$(wc -l <"$WORLD/out")"
touch "$WORLD/there/down"
dry migrate-guest --domain vm1 --to kvm2
exits 3

for uri in 'qemu+ext://h/system?command=/tmp/x' 'qemu+ssh://h/system?netcat=/tmp/x' 'qemu+ssh://-oProxyCommand=x/system' 'a b'; do
  fresh "a URI that could run something: $uri"
  migrate --dest-uri "$uri"
  exits 2
done

report
