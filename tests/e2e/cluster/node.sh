#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One node of a test's cluster: init of its own namespaces, with rsyslogd, corosync and pacemaker. Started by cluster.py as
#   unshare --net --mount --uts --pid --fork --mount-proc node.sh NAME ADDRESS DIR
# DIR holds corosync.conf, cib.xml, hosts and NAME/rsyslog.conf. It lives until its standard input ends, so that nothing outlives
# the test, however that ends: with this process the kernel kills all others of the namespace.
set -u
name=$1 address=$2 shared=$3
mount --make-rprivate /
for dir in /run /var/log /var/lib/pacemaker /var/lib/corosync /var/lib/correlator /etc/corosync; do
  mkdir -p "$dir" && mount -t tmpfs tmpfs "$dir"
done
# A /dev of its own: /dev/log is this node's, and corosync's shared memory.
mkdir /run/dev
for device in null zero full random urandom tty; do touch "/run/dev/$device" && mount --bind "/dev/$device" "/run/dev/$device"; done
ln -s /proc/self/fd /run/dev/fd
mount --rbind /run/dev /dev
mkdir -m 1777 /dev/shm && mount -t tmpfs tmpfs /dev/shm
mkdir -p /run/lock /run/crm /run/resource-agents /var/log/corosync /var/log/crmsh /var/log/pacemaker /var/lib/pacemaker/{cib,cores,blackbox,pengine}
cp "$shared/cib.xml" /var/lib/pacemaker/cib/cib.xml
cp "$shared/corosync.conf" /etc/corosync/
chmod 600 /var/lib/pacemaker/cib/cib.xml
chown -R hacluster:haclient /var/lib/pacemaker /var/log/pacemaker /run/crm
mount --bind "$shared/hosts" /etc/hosts
[ ! -e "$shared/fence" ] || mount --bind "$shared/fence" /usr/sbin/fence_legacy
hostname "$name"

for ((i = 0; i < 200; ++i)); do [ -e /sys/class/net/eth0 ] || ip link show eth0 >/dev/null 2>&1 && break; sleep 0.05; done
ip link set lo up
ip address add "$address/24" dev eth0
ip link set eth0 up

mkfifo -m 600 /run/kernel-ring
exec 5<>/run/kernel-ring  # so that it never ends for imklog
rsyslogd -n -f "$shared/$name/rsyslog.conf" -i /run/rsyslogd.pid >"$shared/$name/rsyslogd.out" 2>&1 &
for ((i = 0; i < 200; ++i)); do [ -S /dev/log ] && break; sleep 0.05; done
if [ -z "${NO_CLUSTER:-}" ]; then
  corosync -f >"$shared/$name/corosync.out" 2>&1 &
  echo $! >/run/corosync.pid
  for ((i = 0; i < 200; ++i)); do corosync-quorumtool -s >/dev/null 2>&1 && break; sleep 0.05; done
  pacemakerd -f >"$shared/$name/pacemakerd.out" 2>&1 &
  echo $! >/run/pacemakerd.pid
fi
touch "$shared/$name/up"
cat >/dev/null
