# A repository of the packages, signed, from which apt installs; sourced by Tests/Packages/run.

repository_life() {
    local home=$work/keys repository=$root/srv/farwatch
    install -d -m 0700 "$home"
    if ! GNUPGHOME=$home gpg --batch --quiet --passphrase '' --quick-generate-key "Farwatch test <test@farwatch.invalid>" ed25519 sign 0 2>"$work/gpg.log"; then
        skip "gpg made no key: $(tail -1 "$work/gpg.log")"
        return
    fi
    check "a signed repository is made of the packages" env GNUPGHOME="$home" Packaging/repository --key test@farwatch.invalid --packages "$work/first" "$repository"
    check "it is made again in place, its old files gone" env GNUPGHOME="$home" Packaging/repository --key test@farwatch.invalid --packages "$work/first" "$repository"
    cp "$repository/farwatch.gpg" "$root/usr/share/keyrings/farwatch.gpg"
    echo "deb [signed-by=/usr/share/keyrings/farwatch.gpg] file:/srv/farwatch stable main" >"$root/etc/apt/sources.list.d/farwatch.list"
    check "apt takes it for what its key has signed" inside apt-get update -q -o Dir::Etc::sourcelist=/etc/apt/sources.list.d/farwatch.list \
        -o Dir::Etc::sourceparts=/dev/null -o APT::Get::List-Cleanup=0 --error-on=any
    check "apt installs from it by name" apt_install farwatch-agent
    check "what apt installed is the package that was built" version_is farwatch-agent "$(dpkg-deb -f "$(deb_of farwatch-agent)" Version) installed"
    inside apt-get purge -y -q farwatch-agent >"$work/purge.log" 2>&1
    sed -i 's/^Date: .*/Date: Sat, 01 Jan 2028 00:00:00 UTC/' "$repository/dists/stable/Release" "$repository/dists/stable/InRelease"
    altered_refused() {
        ! inside apt-get update -q -o Dir::Etc::sourcelist=/etc/apt/sources.list.d/farwatch.list -o Dir::Etc::sourceparts=/dev/null \
            -o APT::Get::List-Cleanup=0 --error-on=any
    }
    check "apt refuses one that was altered" altered_refused
    rm -f "$root/etc/apt/sources.list.d/farwatch.list"
}
