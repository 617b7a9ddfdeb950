# What the parts of Tests/Packages/run have in common; sourced. $work is a scratch folder, $roots has roots, $base as debootstrap
# made it and $root that things are installed in.

passed=0
failed=0
skipped=0
processes=()

clean_up() {
    for id in "${processes[@]}"; do kill -KILL "$id" 2>/dev/null; done
    # A group of its own, which is told to end what it has started.
    [ -z "${building:-}" ] || kill -TERM -- "-$building" 2>/dev/null
    # Roots first, then what they lie in.
    awk -v under="$work/" 'index($2, under) == 1 { print $2 }' /proc/self/mounts | sort -r | xargs -r -n 1 umount
    [ -z "${registered:-}" ] || echo -1 >"/proc/sys/fs/binfmt_misc/$registered"
    # Its services have left groups within it.
    [ -z "${machine_group:-}" ] || find "$machine_group" -depth -type d -exec rmdir {} \; 2>/dev/null
    # Nothing of another file system is removed, whatever a failed umount has left.
    rm -rf --one-file-system "$work"
}

skip() { skipped=$((skipped + 1)); echo "SKIPPED: $*"; }
finish() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}
part() { printf -- '-- %s (%d s)\n' "$*" "$SECONDS"; }
# check CLAIM COMMAND…: what the command printed is shown when it fails.
check() {
    local claim=$1 began=$SECONDS
    shift
    if "$@" >"$work/said" 2>&1; then
        passed=$((passed + 1))
        echo "ok: $claim$( ((SECONDS - began < 5)) || echo " ($((SECONDS - began)) s)")"
    else
        failed=$((failed + 1))
        echo "FAILED: $claim"
        tail -20 "$work/said" | sed 's/^/    /'
    fi
}
# wait_for COMMAND…: until it succeeds, two minutes at most.
wait_for() {
    for _ in $(seq 1200); do
        "$@" && return 0
        sleep 0.1
    done
    return 1
}

inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"; }
# as USER COMMAND…
as() {
    local user=$1
    shift
    inside setpriv --reuid="$user" --regid="$user" --clear-groups "$@"
}
# apt_install OPTIONS FILE…: of packages that lie in the root's /packages.
apt_install() { inside apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0 "$@"; }
version_is() { [ "$(inside dpkg-query -W -f '${Version} ${db:Status-Status}' "$1")" = "$2" ]; }

# The mirror that apt uses here; fails where its sources name none of Debian.
debian_mirror() {
    local found
    found=$({ sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/debian.sources; sed -n 's/^deb .*\(https\{0,1\}:[^ ]*\) .*/\1/p' /etc/apt/sources.list; } \
        2>/dev/null | grep debian | grep -v security | head -1)
    [ -n "$found" ] && echo "$found"
}
# Roots in memory where there is plenty of it: what dpkg writes synchronously, and many small files, take a third of the time.
memory_for_roots() {
    [ "$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)" -ge "$roots_kilobytes" ] || return 0
    mount -t tmpfs -o "size=${roots_kilobytes}k,mode=0755" tmpfs "$1" 2>/dev/null || true
}
roots_kilobytes=$((6 * 1024 * 1024))

# make_base OPTIONS…: of debootstrap, into $base, as a machine is before anything is installed.
make_base() {
    local mirror
    mirror=$(debian_mirror) || { skip "no root could be made: apt's sources name no Debian mirror"; return 1; }
    mkdir -p "$roots"
    memory_for_roots "$roots"
    if ! debootstrap --variant=minbase "$@" "$base" "$mirror" >"$work/debootstrap.log" 2>&1; then
        tail -3 "$work/debootstrap.log"
        skip "no root could be made: the mirror $mirror does not answer, or debootstrap has not the right"
        return 1
    fi
}
# make_root OPTIONS…: a copy of it, ready for apt, with no service started.
make_root() {
    make_base "$@" || return 1
    cp -a "$base" "$root"
    ready_root
}
# So that apt works in it, and no service is started.
ready_root() {
    cp /etc/resolv.conf "$root/etc/"
    # What the installer of a machine writes, and debootstrap does not.
    echo "127.0.0.1 localhost" >"$root/etc/hosts"
    cp -r /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/" 2>/dev/null
    mount -t proc proc "$root/proc"
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod +x "$root/usr/sbin/policy-rc.d"
    inside apt-get update -q >"$work/update.log" 2>&1
    mkdir -p "$root/packages"
}
# repack PACKAGE VERSION FILE [COMMAND…]: the package as another version, changed by a command in its unpacked folder; no newer one has been released.
repack() {
    local package=$1 version=$2 file=$3
    shift 3
    rm -rf "$work/repacked"
    dpkg-deb -R "$package" "$work/repacked"
    sed -i "s/^Version: .*/Version: $version/" "$work/repacked/DEBIAN/control"
    sed -i "s/$(dpkg-deb -f "$package" Version)/$version/g" "$work/repacked/DEBIAN/preinst"
    if [ $# -gt 0 ]; then (cd "$work/repacked" && "$@"); fi
    dpkg-deb -b -Znone --root-owner-group "$work/repacked" "$file" >/dev/null
}
# What is there beside what apt, dpkg, systemd-sysusers and their logs keep for themselves.
listing() { (cd "$root" && find . -xdev \( -path ./proc -o -path ./packages -o -path ./var/lib/apt -o -path ./var/cache -o -path ./var/log -o -path ./var/lib/dpkg \) -prune -o -print | sort); }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
