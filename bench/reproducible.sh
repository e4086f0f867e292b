#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The generator writes the bytes it always wrote: figures of different machines are about the same archive.
#   bench/reproducible.sh GENERATOR
set -u
generator=$1
failed=0
check() { # SHA256 ARGUMENT...
  local wanted=$1 got
  shift
  got=$("$generator" "$@" | sha256sum | cut -d ' ' -f 1)
  [ "$got" = "$wanted" ] && return
  echo "bench_generate $*: sha256 $got, expected $wanted" >&2
  failed=1
}
check a7db9661c81a667b32f4fcbb37909f6d830c37b57e43b45866138d6f5762c5a0 --bytes 2000000 --seed 1
check 307f0a51dd9557191dcb883b5ef7ac14fc2302374aa85000dae57cf27998674c --bytes 2000000 --seed 2 --format iso --hosts 3
check 212d1ff0a092e5bea1f01c8b2178ed5ed65f21f66a0f62eae20ee3e055619d58 --bytes 2000000 --seed 1 --format json --errors 0.05
[ "$failed" = 0 ] && echo "three archives as they always were"
exit "$failed"
