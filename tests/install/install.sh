#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `cmake --install` into an empty root: all that docs/install.md speaks of is there, nobody but its owner can write it, and the
# installed program finds the installed rules good.
. "$SOURCE/tests/e2e/lib.sh"

umask 002 # as on machines where each user has a group: what is installed must not be writable by it
root=$WORK/root
DESTDIR=$root "$CMAKE" --install "$BUILD" --prefix /usr >log 2>&1 || { cat log; exit 1; }

check "program" test -x "$root/usr/bin/correlator"
for file in "$SOURCE"/rules/*.toml; do
  same_files "rule file" "$file" "$root/usr/share/correlator/rules/${file##*/}"
done
for file in "$SOURCE"/rsyslog.d/*; do
  same_files "rsyslog.d" "$file" "$root/usr/share/correlator/rsyslog.d/${file##*/}"
done
same_files "tmpfiles" "$SOURCE/packaging/tmpfiles/correlator-events.conf" "$root/usr/lib/tmpfiles.d/correlator-events.conf"
check "the forwarder's unit" test -s "$root/usr/lib/systemd/system/correlator-events.service"
for file in "$SOURCE"/actions/*; do
  name=${file##*/}
  case $name in
    README.md) check "no $name among the actions" test ! -e "$root/usr/lib/correlator/actions/$name" ;;
    *.sh) check "$name is sourced, not run" test ! -x "$root/usr/lib/correlator/actions/$name" ;;
    *) check "$name can be run" test -x "$root/usr/lib/correlator/actions/$name" ;;
  esac
done
check "the manual for this" test -s "$root/usr/share/doc/correlator/install.md"
same "nothing in /etc, /var or /run" "usr" "$(ls "$root")"
same "writable by others than the owner" "" "$(find "$root/usr/bin/correlator" "$root/usr/share/correlator" "$root/usr/lib/correlator" -type f -perm /022)"
check "the installed rules load and pass their tests" "$root/usr/bin/correlator" check "$root/usr/share/correlator/rules"
finish
