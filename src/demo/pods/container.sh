# Builds a container's file system and becomes its process 1.
# Arguments: who (root: real root, user: root of a user namespace), root directory, image, cgroup files, feed volume, log
# volume, node's own prefix or -, marker, command line.
set -e
who=$1 root=$2 image=$3 cgroup=$4 feed=$5 log=$6 prefix=$7 marker=$8
shift 8
# Shows a part of the host, read-only. For real root that must hold, and what is mounted deeper stays out; a user
# namespace may neither take such mounts apart nor always change their flags, but there the files are somebody else's.
show() {
  if [ "$who" = root ]; then mount --bind "$1" "$2"; mount -o remount,bind,ro "$2"
  else mount --rbind "$1" "$2"; mount -o remount,bind,ro "$2" 2>/dev/null || :
  fi
}
exec 9>"$marker"
mount --bind "$root" "$root"
cd "$root"
mkdir -p usr etc dev proc sys/fs/cgroup tmp var/run/feed var/log/app oldroot
chmod 1777 tmp
for d in /usr/*; do
  n=${d#/usr/}
  [ -d "$d" ] && [ "$n" != src ] || continue
  mkdir -p "usr/$n"
  show "$d" "usr/$n"
done
mkdir -p usr/src/app
for d in bin sbin lib lib64 lib32 libx32 nix; do
  if [ -L "/$d" ]; then ln -sf "$(readlink "/$d")" "$d"
  elif [ -d "/$d" ]; then mkdir -p "$d"; show "/$d" "$d"
  fi
done
if [ "$prefix" != - ]; then mkdir -p "./$prefix"; show "$prefix" "./$prefix"; fi
for f in ld.so.cache ld.so.conf alternatives; do
  [ -e "/etc/$f" ] || continue
  if [ -d "/etc/$f" ]; then mkdir -p "etc/$f"; else : > "etc/$f"; fi
  show "/etc/$f" "etc/$f"
done
printf 'root:x:0:0:root:/root:/bin/sh\nnode:x:65534:65534:node:/tmp:/bin/sh\n' > etc/passwd
printf 'root:x:0:\nnode:x:65534:\n' > etc/group
printf '127.0.0.1 localhost\n127.0.0.1 %s\n' "$(cat /proc/sys/kernel/hostname)" > etc/hosts
cat /proc/sys/kernel/hostname > etc/hostname
for f in null zero full random urandom tty; do : > "dev/$f"; mount --bind "/dev/$f" "dev/$f"; done
ln -sf /proc/self/fd dev/fd
mount -t proc proc proc
show "$cgroup" sys/fs/cgroup
show "$feed" var/run/feed
chmod 1777 "$log"
mount --bind "$log" var/log/app
if [ "$image" != - ]; then show "$image" usr/src/app; fi
pivot_root . oldroot
cd /usr/src/app
umount -l /oldroot
rmdir /oldroot
ulimit -c 0
echo started >&9
exec 9>&-
# A change of the user clears the signal that unshare --kill-child set: setpriv sets it again, last of all.
drop='--no-new-privs --bounding-set=-all --inh-caps=-all --pdeathsig KILL'
[ "$who" = root ] && drop="--reuid 65534 --regid 65534 --clear-groups $drop"
exec setpriv $drop -- env -i "$@"
