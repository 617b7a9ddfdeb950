# The life of the agent's package: installed, upgraded, downgraded, removed, purged; sourced by Tests/Packages/run.

agent() { as farwatch-agent farwatch-agent "$@"; }
start_agent() { # VARIABLE=VALUE…
    # What systemd does at its start, by StateDirectory and RuntimeDirectory.
    inside install -d -o farwatch-agent -g farwatch-agent -m 0750 /var/lib/farwatch/agent
    inside install -d -o farwatch-agent -g farwatch-agent -m 0755 /run/farwatch
    # setpriv becomes the program, so that the process is the agent's.
    chroot "$root" /usr/bin/env -i PATH=/usr/bin FARWATCH_SAMPLING_INTERVAL=100ms FARWATCH_BUFFER_SEAL_TICKS=4 "$@" \
        setpriv --reuid=farwatch-agent --regid=farwatch-agent --clear-groups farwatch-agent run >"$work/agent.log" 2>&1 &
    agent_id=$!
    processes+=("$agent_id")
}
stop_agent() {
    kill -TERM "$agent_id" 2>/dev/null
    wait "$agent_id"
}
samples() { agent buffer status --json | sed -n 's/.*"samples": *\([0-9]*\).*/\1/p'; }
has_samples() { [ "$(samples 2>/dev/null || echo 0)" -ge "$1" ] 2>/dev/null; }
exported() { agent buffer export --json --output - 2>/dev/null | sha256sum; }

agent_life() {
    local deb held
    deb=$(deb_of farwatch-agent)
    cp "$deb" "$root/packages/now.deb"
    # A newer one that has another configuration.
    repack "$deb" 99.0 "$root/packages/newer.deb" sh -c 'echo "# of the newer version" >>etc/farwatch/agent.yaml'
    repack "$deb" 100.0 "$root/packages/newest.deb" sh -c 'echo "# of the newest version" >>etc/farwatch/agent.yaml'
    local dependencies
    dependencies=$(inside apt-get install -s -q --no-install-recommends /packages/now.deb | sed -n 's/^Inst \([^ ]*\).*/\1/p' | grep -v '^farwatch')
    # shellcheck disable=SC2086 # names of packages, one a word
    check "what it depends on is in Debian" apt_install $dependencies
    listing >"$work/before"
    check "it is installed without a configuration, a network or systemd" apt_install /packages/now.deb
    check "it has a user of its own" inside id farwatch-agent
    check "its configuration is a conffile" inside grep -q "/etc/farwatch/agent.yaml" /var/lib/dpkg/info/farwatch-agent.conffiles
    check "it samples" agent sample --json
    check "its configuration is valid" agent check-config
    start_agent
    check "it buffers at once, with nobody to send to" wait_for has_samples 200
    check "it tells its status" agent status
    stop_agent
    held=$(samples)
    exported >"$work/held"
    same() { [ "$(samples)" = "$held" ] && exported | diff - "$work/held"; }

    check "it is upgraded" apt_install /packages/newer.deb
    check "an upgrade takes a new configuration where nobody has changed it" grep -q "of the newer version" "$root/etc/farwatch/agent.yaml"
    check "the upgrade loses none of the $held samples that nobody has taken yet" same
    echo "# this device's own" >>"$root/etc/farwatch/agent.yaml"
    check "a configuration that was changed stays as dpkg is told to do" apt_install -o Dpkg::Options::=--force-confold /packages/newest.deb
    check "what is this device's own is kept" grep -q "this device's own" "$root/etc/farwatch/agent.yaml"
    check "the new one is beside it" grep -q "of the newest version" "$root/etc/farwatch/agent.yaml.dpkg-dist"
    start_agent
    check "it goes on after the upgrade" wait_for has_samples $((held + 50))
    stop_agent

    downgrade_refused() { ! apt_install --allow-downgrades /packages/now.deb >"$work/downgrade" 2>&1 && grep -q "older agent" "$work/downgrade"; }
    check "a downgrade is refused, and told why" downgrade_refused
    check "what was there is whole after the refusal" sh -c '! chroot "$1" dpkg --verify farwatch-agent | grep -v "/etc/farwatch/agent.yaml"' _ "$root"
    check "the newer one is still installed" version_is farwatch-agent "100.0 installed"
    check "the buffer is whole" agent buffer verify

    check "it is removed" inside apt-get remove -y -q farwatch-agent
    check "removing keeps the buffer" test -s "$root/var/lib/farwatch/agent/buffer.sqlite"
    check "removing keeps the configuration" test -s "$root/etc/farwatch/agent.yaml"
    check "it is installed again" apt_install /packages/newest.deb
    check "and has the samples it had" has_samples "$held"
    check "it is purged" inside apt-get purge -y -q farwatch-agent
    rm -rf "$root/run/farwatch"
    listing >"$work/after"
    check "purging leaves nothing" diff "$work/before" "$work/after"
}
