#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One node of a test's cluster: init of its own namespaces, with rsyslogd, corosync and pacemaker. Started by cluster.py as
#   unshare --net --mount --uts --pid --fork --mount-proc node.sh NAME ADDRESS DIR
# DIR holds corosync.conf, cib.xml, hosts and an installed correlator. It lives until its standard input ends, so that nothing outlives
# the test, however that ends: with this process the kernel kills all others of the namespace.
set -u
name=$1 address=$2 shared=$3
mount --make-rprivate /
mount -t tmpfs tmpfs /run
# Whatever is written to the system stays in this node.
for dir in etc usr var root; do
  mkdir -p /run/layer/$dir /run/layer/work-$dir
  mount -t overlay overlay -o "lowerdir=/$dir,upperdir=/run/layer/$dir,workdir=/run/layer/work-$dir" /$dir || exit 1
done
# A /dev of its own: /dev/log is this node's, and corosync's shared memory.
mkdir /run/dev
for device in null zero full random urandom tty; do touch "/run/dev/$device" && mount --bind "/dev/$device" "/run/dev/$device"; done
ln -s /proc/self/fd /run/dev/fd
mount --rbind /run/dev /dev
mkdir -m 1777 /dev/shm && mount -t tmpfs tmpfs /dev/shm

rm -rf /var/log/*.log* /var/log/syslog* /var/lib/pacemaker/*/* /var/lib/corosync/* /var/log/pacemaker/* /var/lib/correlator* /etc/correlator /etc/rsyslog.d/*
mkdir -p /run/lock /run/crm /run/resource-agents /var/log/corosync /var/log/crmsh /var/log/pacemaker /var/lib/pacemaker/{cib,cores,blackbox,pengine} /etc/corosync
cp "$shared/cib.xml" /var/lib/pacemaker/cib/cib.xml
cp "$shared/corosync.conf" /etc/corosync/
chmod 600 /var/lib/pacemaker/cib/cib.xml
chown -R hacluster:haclient /var/lib/pacemaker /var/log/pacemaker /run/crm
cp "$shared/hosts" /etc/hosts
[ ! -e "$shared/fence" ] || cp "$shared/fence" /usr/sbin/fence_legacy
# There is no systemd in a node, and no sshd.
cp "$shared/stand-ins/"* /usr/local/bin/
[ ! -d "$shared/install" ] || cp -r "$shared/install/." /
# Debian's rsyslog.conf with what docs/install.md asks for; the kernel's ring is a pipe of the test's own.
sed -i -e 's/^module(load="imuxsock").*/module(load="imuxsock" SysSock.Annotate="on" SysSock.ParseTrusted="on" SysSock.UsePIDFromSystem="on")/' \
  -e 's#^module(load="imklog").*#module(load="imklog" LogPath="/run/kernel-ring")#' /etc/rsyslog.conf
cp "$shared/$name/rsyslog.conf" /etc/rsyslog.d/00-test.conf

hostname "$name"

for ((i = 0; i < 200; ++i)); do [ -e /sys/class/net/eth0 ] || ip link show eth0 >/dev/null 2>&1 && break; sleep 0.05; done
ip link set lo up
ip address add "$address/24" dev eth0
ip link set eth0 up

mkfifo -m 600 /run/kernel-ring
exec 5<>/run/kernel-ring  # so that it never ends for imklog
rsyslogd 2>"$shared/$name/rsyslogd.out"
for ((i = 0; i < 200; ++i)); do [ -S /dev/log ] && break; sleep 0.05; done
corosync -f >"$shared/$name/corosync.out" 2>&1 &
echo $! >/run/corosync.pid
for ((i = 0; i < 200; ++i)); do corosync-quorumtool -s >/dev/null 2>&1 && break; sleep 0.05; done
pacemakerd -f >"$shared/$name/pacemakerd.out" 2>&1 &
echo $! >/run/pacemakerd.pid
touch "$shared/$name/up"
disown -a  # no word about daemons that a test kills
cat >/dev/null
