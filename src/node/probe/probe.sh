# The probe for images with a shell (busybox ash, dash, bash). Reads only; writes nothing but its standard output.
# Comments and indents are dropped before it is sent (src/node/probe/script.rs). T is the token that frames sections.
T=@TOKEN@
exec 2>/dev/null
unset NODE_OPTIONS
p() { printf '%s\n' "$*"; }
m() { printf '%s\n' "@@$T $*"; }
m begin 1 sh $$
m sys
p "machine $(uname -m)"
p "ticks $(getconf CLK_TCK)"
p "now $(date +%s)"
IFS=' ' read -r u x </proc/uptime
p "uptime $u"
IFS=' ' read -r u x </proc/loadavg && p "load $u"
k=0
while read -r a b; do case $a in cpu[0-9]*) k=$((k+1)) ;; esac; done </proc/stat
p "cpus $k"
# Listening sockets of the pod's network, and their inodes to find the owner by.
m tcp
L=
for t in /proc/net/tcp /proc/net/tcp6; do
  [ -r $t ] && while read -r s l r st q w e v o i x; do
    if [ "$st" = 0A ]; then p "$l $i"; L="$L $i"; fi
  done <$t
done
# Every process: identity, signals, memory, arguments; of the environment only what Node itself obeys.
N= D=/tmp
for d in /proc/[0-9]*; do
  [ -r $d/stat ] || continue
  i=${d#/proc/}
  x=$(readlink $d/exe)
  m proc $i
  p "exe $x"
  IFS= read -r l <$d/stat && p "stat $l"
  while read -r a b; do
    case $a in Name:|PPid:|Uid:|Gid:|Groups:|VmRSS:|VmHWM:|RssAnon:|RssShmem:|Threads:|Sig[BIC]*|CapEff:) p "$a $b" ;; esac
  done <$d/status
  while IFS= read -r l; do
    case $l in 0::*|*:memory:*) p "cg $l" ;; esac
  done <$d/cgroup
  [ $i = $$ ] && continue
  y=
  A=$(tr '\000\012' '\012\040' <$d/cmdline | while IFS= read -r l; do p "arg $l"; done)
  p "$A"
  case ${x##*/}: in node*|:*)
    E=$(tr '\000\012' '\012\040' <$d/environ | while IFS= read -r l; do
      case $l in NODE_OPTIONS=*|NODE_UNIQUE_ID=*) p "env $l" ;; esac
    done)
    p "$E"
  esac
  case ${x##*/} in node*)
    N="$N $i"
    c=$(readlink $d/cwd)
    p "cwd $c"
    k=0
    for t in $d/task/*/comm; do IFS= read -r l <$t && [ "$l" = WorkerThread ] && k=$((k+1)); done
    p "workers $k"
    [ -r $d/fd ] && p "fd ok"
    [ "$L" ] && ls -l $d/fd | while IFS= read -r l; do
      case $l in *"socket:["*) k=${l##*"socket:["}; k=${k%]}; case "$L " in *" $k "*) p "owns $k" ;; esac ;; esac
    done
    # The directories it may write to, newline apart: cwd, --diagnostic-dir, /tmp.
    D="$D
$c"
    for w in $(p "$A$E" | tr '= ' '\012\012') ; do
      if [ "$y" ]; then case $w in /*) ;; *) w=$c/$w ;; esac; D="$D
$w"; fi
      y=
      case $w in --diagnostic-dir|--diagnostic_dir) y=1 ;; esac
    done
  esac
done
IFS='
'
set -f
S=
for w in $D; do
  case "$S
" in *"
$w
"*) continue ;; esac
  S="$S
$w"
  p "@@$T dir $w"
  p "stat $(stat -c '%a %u %g' "$w")"
  df -kP "$w" | while IFS= read -r l; do p "df $l"; done
  set +f
  for f in "$w"/Heap.*.heapsnapshot "$w"/v8-heap-*.heapsnapshot "$w"/Heap.*.heapprofile "$w"/report.*.json; do
    [ -f "$f" ] && p "file $(stat -c '%s %Y %i' "$f") $f"
  done
  set -f
done
set +f
unset IFS
m mounts
cat /proc/self/mountinfo
# Memory of the container: version 2 at its own root or by path, version 1 likewise.
V=- W=- C=-
while IFS= read -r l; do
  case $l in 0::*) V=${l#0::} ;; *:memory:*) W=${l#*:memory:} ;; *:cpu:*|*:cpu,*:*|*,cpu:*) C=${l#*:*:} ;; esac
done </proc/self/cgroup
g() {
  b=$1 v=$2; shift 2
  for k; do [ -r $b/$k ] && { m cg$v $k; cat $b/$k; }; done
}
G=/sys/fs/cgroup
for b in $G$V $G $G/unified$V; do
  [ -r $b/memory.current ] && {
    g $b 2 memory.max memory.high memory.current memory.peak memory.swap.max memory.swap.current memory.events memory.stat cpu.max cpu.stat
    break
  }
done
for b in $G/memory$W $G/memory; do
  [ -r $b/memory.limit_in_bytes ] && {
    g $b 1 memory.limit_in_bytes memory.usage_in_bytes memory.max_usage_in_bytes memory.failcnt memory.oom_control memory.stat
    break
  }
done
for b in $G/cpu$C $G/cpu $G/cpu,cpuacct$C $G/cpu,cpuacct; do
  [ -r $b/cpu.cfs_quota_us ] && { g $b 1 cpu.cfs_quota_us cpu.cfs_period_us cpu.stat; break; }
done
m tools
for t in sh cat tail dd gzip zstd sha256sum timeout stat head od wc env node; do command -v $t >/dev/null && p $t; done
p "sh is $(readlink /proc/$$/exe)"
# Version: from the headers beside the program, else by asking the program itself, which costs some 10 MB for a moment.
O=
for i in $N; do
  x=$(readlink /proc/$i/exe)
  case "$O " in *" $x "*) continue ;; esac
  O="$O $x"
  m version $x
  h=${x%/bin/*}/include/node/node_version.h
  if [ -r $h ]; then
    while read -r a b c; do
      case $b in NODE_M*_VERSION|NODE_PATCH_VERSION) p "$b $c" ;; esac
    done <$h
  else
    /proc/$i/exe --version
  fi
done
m end
