# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash source=tests/actions/harness.sh
# "Decisions about another host" of docs/actions.md, step by step, with a real sshd: the keys made, the host's key
# read, the line of authorized_keys, the command to try it. All of it stands in mount and network namespaces of
# its own; what is acted on there is the world of stand-ins.
if [[ -z ${INSIDE:-} ]]; then
  for program in /usr/sbin/sshd ssh ssh-keygen ssh-keyscan ip; do
    command -v "$program" >/dev/null 2>&1 && continue
    printf '%s is not installed: the steps of docs/actions.md are not taken\n0 passed, 0 failed\n' "$program"
    exit
  done
  unshare -m -u -n true 2>/dev/null || { printf 'no right to make namespaces: the steps of docs/actions.md are not taken\n0 passed, 0 failed\n'; exit; }
  INSIDE=1 exec unshare -m -u -n -p -f --mount-proc bash "${BASH_SOURCE[0]}"
fi
. "$(dirname -- "${BASH_SOURCE[0]}")/harness.sh"
page=$TESTS/../../docs/actions.md
section=$(awk '/^## Decisions about another host/ { on = 1; next } /^## / { on = 0 } on' "$page")

fresh 'docs/actions.md: decisions about another host'
hostname log1
for dir in /root /run; do mount -t tmpfs -o mode=755 none "$dir"; done
for dir in etc usr/lib; do
  mkdir -p "/run/layer/$dir" "/run/work/$dir"
  mount -t overlay overlay -o "lowerdir=/$dir,upperdir=/run/layer/$dir,workdir=/run/work/$dir" "/$dir" || { echo 'no overlay here: the steps of docs/actions.md are not taken'; report; exit; }
done
mkdir -p /etc/correlator /run/sshd /usr/lib/correlator/actions
mkdir -m 700 /root/.ssh
cp "$ACTIONS"/* /usr/lib/correlator/actions/
# Both hosts are this one; what the log server sends comes from its own address, as the key wants it.
ip link set lo up
ip address add 10.0.0.5/32 dev lo
ip address add 10.0.0.11/32 dev lo
ip route change table local local 10.0.0.11 dev lo src 10.0.0.5
ssh-keygen -q -t ed25519 -N '' -f "$WORLD/hostkey"
cat >"$WORLD/sshd_config" <<CONF
ListenAddress 10.0.0.11
HostKey $WORLD/hostkey
PidFile none
UsePAM no
PasswordAuthentication no
LogLevel ERROR
SetEnv PATH=$BIN CORRELATOR_ACTION_STATE=$WORLD/state CORRELATOR_ACTION_SYSROOT=$WORLD/root
CONF
/usr/sbin/sshd -D -e -f "$WORLD/sshd_config" 2>"$WORLD/sshd.log" &
for ((i = 0; i < 900; ++i)); do (exec 3<>/dev/tcp/10.0.0.11/22) 2>/dev/null && break; sleep 0.1; done

# 1. On the log server.
awk '/^   ```shell$/ { on = 1; next } /^   ```$/ { on = 0 } on { print substr($0, 4) }' <<<"$section" >"$WORLD/script"
check 'it has commands' 3 "$(wc -l <"$WORLD/script")"
bash -eu "$WORLD/script" </dev/null >"$WORLD/out" 2>"$WORLD/err"
check 'step 1' 0 $?
check 'the key is for root alone' 600 "$(stat -c %a /etc/correlator/action-key)"
check "the host's own key was read" "$(cut -d ' ' -f 2 "$WORLD/hostkey.pub")" "$(cut -d ' ' -f 3 /etc/correlator/action-known-hosts)"

# 2. On the host.
line=$(grep -o 'restrict,from=.* ssh-ed25519' <<<"$section")
check 'it has a line for authorized_keys' yes "$([[ $line == *'command="/usr/lib/correlator/actions/accept-action --allow '* ]] && echo yes || echo no)"
printf '%s %s\n' "$line" "$(cut -d ' ' -f 2 /etc/correlator/action-key.pub)" >/root/.ssh/authorized_keys
chmod 600 /root/.ssh/authorized_keys

# 3. Try it.
# shellcheck disable=SC2016  # the marks of a command in a document
read -ra try <<<"$(sed -n 's/^3\. Try it: `\(.*\)`\.$/\1/p' <<<"$section")"
check 'it has a command to try' run-on-host "${try[0]:-}"
try_it() { env -i PATH="$BIN:/usr/bin" "/usr/lib/correlator/actions/${try[0]}" "${try[@]:1}" "$@" </dev/null >"$WORLD/out" 2>"$WORLD/err"; code=$?; }
try_it
exits 0
check 'what would be done there' "'crm' 'node' 'standby' 'nodeA' 'forever'" "$(cat "$WORLD/out")"
check 'and is not' false "$(standby_of nodeA)"

case_name='what the document says of it'
try=(run-on-host --host kvm1 --action virsh-suspend)
try_it -- --domain vm1
exits 3
says 'is not allowed here'
try=(run-on-host --host kvm9 --action crm-standby)
try_it
exits 3
sed -i 's/from="10.0.0.5"/from="10.0.0.6"/' /root/.ssh/authorized_keys
try=(run-on-host --host kvm1 --action crm-standby --dry-run)
try_it
exits 3
says 'cannot be reached by ssh, or does not accept us'
chmod o+w /etc/correlator/action-hosts
sed -i 's/from="10.0.0.6"/from="10.0.0.5"/' /root/.ssh/authorized_keys
try_it
exits 3

report
