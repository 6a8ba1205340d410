# Sourced by every script here: where things are, and what they share.
# shellcheck shell=bash
# shellcheck disable=SC2034  # names that the scripts use
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# What `build` makes, once for each machine: the binary, the images' archives, Node's binaries.
bin=${CUTOFF_CLUSTER_BIN:-${XDG_CACHE_HOME:-$HOME/.cache}/cutoff-cluster}
images=$bin/images
# The directory of one cluster: all its state, and nothing outside of it.
dir=${CUTOFF_CLUSTER_DIR:-}
# Node majors that the tests run against, and those that also come with a shell.
majors='18 20 22 24 26'
with_shell='20 24'

die() { echo "cluster: $*" >&2; exit 1; }
say() { echo "cluster: $*" >&2; }

# needs TOOL PACKAGE: ends with the reason where a tool is missing.
needs() { command -v "$1" >/dev/null || die "needs $1 (Debian: $2)"; }

# Makes the state directory and names the cluster after it: two directories are two clusters.
need_dir() {
    [ -n "$dir" ] || die 'CUTOFF_CLUSTER_DIR has to name a directory for the state'
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd -P)
    case $dir/ in
        # The cluster lays directories of its own over these.
        /var/lib/* | /var/log/* | /run/* | /proc/* | /sys/*) die "the state directory can't be under ${dir%/*}" ;;
    esac
    id=cutoff-$(printf %s "$dir" | cksum | cut -d' ' -f1)
}

# alive NAME: the process of DIR/NAME.pid, only while it is still ours: after a crash the number may be another's.
alive() {
    local pid
    pid=$(cat "$dir/$1.pid" 2>/dev/null) || return 1
    [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$dir" && echo "$pid"
}

# Process 1 of the cluster's namespaces, as this machine numbers it.
first_process() {
    local pid
    pid=$(alive unshare) && tr -d ' ' <"/proc/$pid/task/$pid/children" | grep .
}

kubectl() { "$bin/kube" kubectl --kubeconfig "$dir/kubeconfig" "$@"; }

# within SECONDS WHAT COMMAND...: tries the command until it succeeds; ends early when the cluster did.
within() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || die "not in time: $what (logs: $dir/log)"
        [ ! -e "$dir/unshare.pid" ] || alive unshare >/dev/null || die "ended early: $(tail -n 1 "$dir/log/node.log")"
        sleep 0.2
    done
}
