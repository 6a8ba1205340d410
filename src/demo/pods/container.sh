# Builds a container's file system and becomes its process 1.
# Arguments: root directory, image, cgroup files, feed volume, log volume, node's own prefix or -, marker, command line.
set -e
root=$1 image=$2 cgroup=$3 feed=$4 log=$5 prefix=$6 marker=$7
shift 7
exec 9>"$marker"
mount --bind "$root" "$root"
cd "$root"
mkdir -p usr etc dev proc sys/fs/cgroup tmp var/run/feed var/log/app oldroot
chmod 1777 tmp
for d in /usr/*; do
  n=${d#/usr/}
  [ -d "$d" ] && [ "$n" != src ] || continue
  mkdir -p "usr/$n"
  mount --rbind "$d" "usr/$n"
  mount -o remount,bind,ro "usr/$n" 2>/dev/null || :
done
mkdir -p usr/src/app
for d in bin sbin lib lib64 lib32 libx32 nix; do
  if [ -L "/$d" ]; then ln -sf "$(readlink "/$d")" "$d"
  elif [ -d "/$d" ]; then mkdir -p "$d"; mount --rbind "/$d" "$d"; mount -o remount,bind,ro "$d" 2>/dev/null || :
  fi
done
if [ "$prefix" != - ]; then mkdir -p "./$prefix"; mount --rbind "$prefix" "./$prefix"; fi
for f in ld.so.cache ld.so.conf alternatives; do
  [ -e "/etc/$f" ] || continue
  if [ -d "/etc/$f" ]; then mkdir -p "etc/$f"; else : > "etc/$f"; fi
  mount --rbind "/etc/$f" "etc/$f"
done
echo 'root:x:0:0:root:/root:/bin/sh' > etc/passwd
echo 'root:x:0:' > etc/group
printf '127.0.0.1 localhost\n127.0.0.1 %s\n' "$(cat /proc/sys/kernel/hostname)" > etc/hosts
cat /proc/sys/kernel/hostname > etc/hostname
for f in null zero full random urandom tty; do : > "dev/$f"; mount --bind "/dev/$f" "dev/$f"; done
ln -sf /proc/self/fd dev/fd
mount -t proc proc proc
mount --bind "$cgroup" sys/fs/cgroup
mount -o remount,bind,ro sys/fs/cgroup 2>/dev/null || :
mount --bind "$feed" var/run/feed
mount --bind "$log" var/log/app
if [ "$image" != - ]; then mount --bind "$image" usr/src/app; mount -o remount,bind,ro usr/src/app 2>/dev/null || :; fi
pivot_root . oldroot
cd /usr/src/app
umount -l /oldroot
rmdir /oldroot
ulimit -c 0
echo started >&9
exec 9>&-
exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all -- env -i "$@"
