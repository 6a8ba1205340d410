#!/usr/bin/env bash
# Makes the big snapshots that benches/heap.rs reads: tests/leaks/nest-content-import.js on real Node, with so many updates that the file
# has about the size that its name says. Usage: make-snapshots.sh DIR [NODE] [MEGABYTES…]
# 1,900 MB need 9 GB of memory and some minutes: V8 takes several times the heap to write a snapshot of it.
set -euo pipefail
out=$(mkdir -p "$1" && realpath "$1") node=${2:-node}
here=$(cd "$(dirname "$0")/../tests/leaks" && pwd)
for megabytes in "${@:3}"; do sizes="${sizes-} $megabytes"; done
for megabytes in ${sizes-60 500 1900}; do
  # Measured on Node 22: some 2,930 bytes of snapshot for each update.
  work=$((megabytes * 1000000 / 2930))
  mkdir -p "$out/making"
  env -i "$(command -v "$node")" --max-old-space-size=14000 "$here/harness.js" "$here/nest-content-import.js" "$out/making" 1 "$work"
  mv "$out/making/0.heapsnapshot" "$out/heap$megabytes.heapsnapshot"
  rmdir "$out/making"
  ls -l "$out/heap$megabytes.heapsnapshot"
done
