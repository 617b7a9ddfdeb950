# The packages in a root of another release of Debian or Ubuntu; sourced by Tests/Packages/run.

# $1: a suite of debootstrap's
suite_life() {
    local mirror script="" keys=() file
    case $1 in
        bookworm | trixie) mirror=$(debian_mirror) ;;
        jammy | noble)
            mirror=${FARWATCH_UBUNTU_MIRROR:-}
            [ -n "$mirror" ] || { skip "a root of $1 needs a mirror of Ubuntu: FARWATCH_UBUNTU_MIRROR names none"; return; }
            # An older debootstrap has no script of its own for each, and they are all the same.
            script=/usr/share/debootstrap/scripts/jammy
            keys=(--components=main,universe) ;;
        *) echo "Tests/Packages/run: it knows the suites bookworm, trixie, jammy and noble" >&2; exit 64 ;;
    esac
    part "A root of $1"
    mkdir -p "$roots"
    memory_for_roots "$roots"
    # shellcheck disable=SC2086 # the script is left out where there is none
    if ! debootstrap --variant=minbase "${keys[@]}" "$1" "$root" "$mirror" $script >"$work/debootstrap.log" 2>&1; then
        tail -3 "$work/debootstrap.log"
        skip "no root of $1 could be made from $mirror"
        return
    fi
    ready_root
    for file in "$work"/first/farwatch*_*.deb; do case $file in *-dbgsym*) ;; *) cp "$file" "$root/packages/" ;; esac; done
    check "$1: apt installs all of them, their dependencies from $1 alone" sh -c 'cd "$1" && chroot . env DEBIAN_FRONTEND=noninteractive sh -c \
        "apt-get install -y -q --no-install-recommends /packages/farwatch*.deb"' _ "$root"
    check "$1: the agent samples" as farwatch-agent farwatch-agent sample --json
    if ! has farwatch-collector; then
        check "$1: they are purged" inside apt-get purge -y -q farwatch-agent
        return
    fi
    # The loader binds every symbol before main runs.
    check "$1: the collector starts" inside farwatch-collector --version
    check "$1: the collector's configuration is valid" as farwatch-collector farwatch-collector check-config
    http_port=$(free_port)
    broker_port=$(free_port)
    start_collector
    check "$1: the collector serves, and the command line is answered" wait_for farwatch devices list
    stop_collector
    check "$1: they are purged" inside apt-get purge -y -q farwatch-collector farwatch farwatch-agent
}
