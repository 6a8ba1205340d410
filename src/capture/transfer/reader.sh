# Reads a file that may still grow, from an offset, and sends it in frames (src/capture/transfer/frames.rs). Reads only.
# Set before it: f file or empty, d directory to watch where f is empty, k known names there as |a|b|, P writer's pid,
# o offset (a multiple of 65536), m blocks a piece, w whether to wait on when the writer is dead, z the compressor.
exec 2>/dev/null
trap 'exit 0' TERM INT HUP PIPE
B=65536
echo "CTO1 H $$"
n() { sleep 0.25 || sleep 1; }
a() { if kill -0 $P; then echo 1; else echo 0; fi; }
while [ -z "$f" ]; do
  for x in "$d"/Heap.*.$P.*.heapsnapshot "$d"/v8-heap-*.heapsnapshot; do
    [ -f "$x" ] || continue
    case $k in *"|${x##*/}|"*) continue ;; esac
    f=$x
    break
  done
  if [ -z "$f" ]; then
    l=$(a)
    echo "CTO1 W $l" || exit
    [ $l = 1 ] || [ "$w" ] || exit
    n
  fi
done
echo "CTO1 N $f"
s=0 t=-1 i= q=$o e=0
while :; do
  x=$(stat -c '%s %i' "$f") || { echo "CTO1 G"; break; }
  s=${x% *}
  [ "$i" ] || i=${x#* }
  # Another file of this name, or this one begun anew.
  [ "$i" = "${x#* }" ] && [ $s -ge $q ] || { echo "CTO1 C"; break; }
  q=$s
  c=$(((s - o) / B))
  [ $c -gt $m ] && c=$m
  if [ $c -gt 0 ]; then
    echo "CTO1 F $i $o" || exit
    dd if="$f" bs=$B skip=$((o / B)) count=$c | $z
    o=$((o + c * B)) e=0
  elif [ $s -ne $t ] && [ $s -gt $o ]; then
    # The tail: it is sent again from the same offset should it grow.
    t=$s e=0
    echo "CTO1 F $i $o" || exit
    dd if="$f" bs=$B skip=$((o / B)) count=1 | $z
  elif [ $e -lt 5 ] && sleep 0.05; then
    # A writer that died between two looks took with it what it had written since: look soon again.
    e=$((e + 1))
  else
    echo "CTO1 Q $s $(a)" || exit
    n
  fi
done
# What was sent is lost if this ends before it is read (kubernetes/kubectl#1361): stay until told to go.
z=0
while [ $z -lt 240 ]; do n; z=$((z + 1)); done
