# Holds a pod's network and host name. Arguments: the pod's name.
{ ip link set lo up || ifconfig lo up || busybox ip link set lo up ||
  perl -e 'socket(S,2,2,0);$r=pack("a16s","lo",0x41);ioctl(S,0x8914,$r) or die "$!"' ||
  python3 -c 'import socket,fcntl,struct; fcntl.ioctl(socket.socket(),0x8914,struct.pack("16sh","lo".encode(),0x41))'
} 2>/dev/null || { echo "the loopback device could not be brought up (no ip, ifconfig, busybox, perl or python3)" >&2; exit 1; }
hostname "$1" 2>/dev/null || echo "$1" > /proc/sys/kernel/hostname 2>/dev/null || :
echo ready
exec sleep 2147483647
