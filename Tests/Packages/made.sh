# What packages are made of; sourced by Tests/Packages/run. They lie in $work/first.

deb_of() { ls "$work/first/$1"_*.deb 2>/dev/null; }
unpacked() { echo "$work/unpacked/$1"; }
depends_of() { dpkg-deb -f "$(deb_of "$1")" Depends; }

# $1: PACKAGE
check_made() {
    local package=$1 deb
    deb=$(deb_of "$package")
    check "$package is built" test -s "$deb" || return
    dpkg-deb -x "$deb" "$(unpacked "$package")"
    check "$package: its symbols are a package of their own" test -s "$(deb_of "$package-dbgsym")"
    check "$package: what it was linked with is Debian's or in the bill of materials" python3 Tests/Packages/bill.py "$(unpacked "$package")" "$package" \
        "$(depends_of "$package")"
    local oldest
    oldest=$(depends_of "$package" | sed -n 's/.*libc6 (>= \([0-9.]*\)).*/\1/p')
    check "$package: it runs with the C library of Ubuntu 22.04: $oldest" dpkg --compare-versions "$oldest" le 2.35
    # dpkg-shlibdeps does not know of versions that stand for no symbol.
    check "$package: the loader of Ubuntu 22.04 knows every version that it asks for" loadable "$(unpacked "$package")/usr/bin/$package"
    local completion
    for completion in "bash:bash-completion/completions/$package" "zsh:zsh/vendor-completions/_$package" "fish:fish/vendor_completions.d/$package.fish"; do
        if command -v "${completion%%:*}" >/dev/null; then
            check "$package: ${completion%%:*} reads its completion" "${completion%%:*}" -n "$(unpacked "$package")/usr/share/${completion#*:}"
        else
            skip "${completion%%:*} is not installed"
        fi
    done
    check "$package: its manual pages have no mistakes" manual_pages "$(unpacked "$package")"
}

loadable() {
    local versions
    versions=$(objdump -p "$1" | sed -n 's/.* \(GLIBC_[A-Z0-9_.]*\)$/\1/p' | sort -uV)
    echo "$versions"
    ! grep -q GLIBC_ABI_DT_RELR <<<"$versions" && dpkg --compare-versions "$(grep -o '[0-9][0-9.]*$' <<<"$versions" | sort -V | tail -1)" le 2.35
}
manual_pages() {
    local page said
    for page in "$1"/usr/share/man/man?/*; do
        said=$(man -l --warnings -E UTF-8 -Tutf8 -Z "$page" 2>&1 >/dev/null)
        [ -z "$said" ] || { echo "$page: $said"; return 1; }
    done
    [ -e "$page" ]
}

# What is asked of the agent's beside that.
check_agent_made() {
    local size
    size=$(stat -c %s "$(deb_of farwatch-agent)")
    check "farwatch-agent is at most 500 KB: $size bytes" test "$size" -le 500000
    check_service farwatch-agent
    if command -v apparmor_parser >/dev/null; then
        check "farwatch-agent: AppArmor takes its profile" apparmor_parser -QT "$(unpacked farwatch-agent)/etc/apparmor.d/farwatch-agent"
    else
        skip "apparmor_parser is not installed"
    fi
    Packaging/build-deb --only farwatch-agent --binary "$(Packaging/build-agent --symbols --print-path)" --output "$work/second" >/dev/null 2>&1
    check "two packages of one program are the same bytes" diff "$(deb_of farwatch-agent)" "$work/second/$(basename "$(deb_of farwatch-agent)")"
}

# What is asked of all together.
check_all_made() {
    if command -v lintian >/dev/null; then
        no_tags() { lintian --fail-on error,warning --allow-root "$work"/first/*.deb; }
        check "lintian finds no error and gives no warning" no_tags
    else
        skip "lintian is not installed"
    fi
}

# Installed, purged, and all that is left looked at.
check_piuparts() {
    if ! command -v piuparts >/dev/null; then
        skip "piuparts is not installed"
        return
    fi
    clean_in_life() { # of all packages but their symbols
        piuparts --no-eatmydata --warn-on-others --skip-logrotatefiles-test -d bookworm -m "$(debian_mirror)" -e "$base" -t "$roots" \
            $(ls "$work"/first/*.deb | grep -v -- -dbgsym)
    }
    check "piuparts finds nothing wrong with any of them" clean_in_life
}

# $1: PACKAGE with a service
check_service() {
    local unit
    unit=$(unpacked "$1")/lib/systemd/system/$1.service
    if command -v systemd-analyze >/dev/null; then
        check "$1: its service's exposure is at most 2.0" systemd-analyze security --offline=true --threshold=20 "$unit"
    else
        skip "systemd-analyze is not installed"
    fi
}
