# The life of the collector's package, with the command line's and an agent that delivers to it; sourced by Tests/Packages/run.

# A path of the collector's API.
asked() { curl -fsS --max-time 10 "http://127.0.0.1:$http_port$1"; }
farwatch() { inside FARWATCH_COLLECTOR="http://127.0.0.1:$http_port" farwatch "$@"; }
start_collector() { # VARIABLE=VALUE…
    inside install -d -o farwatch-collector -g farwatch-collector -m 0750 /var/lib/farwatch/collector
    chroot "$root" /usr/bin/env -i PATH=/usr/bin FARWATCH_BROKER_PORT="$broker_port" FARWATCH_HTTP_PORT="$http_port" "$@" \
        setpriv --reuid=farwatch-collector --regid=farwatch-collector --clear-groups farwatch-collector serve >"$work/collector.log" 2>&1 &
    collector_id=$!
    processes+=("$collector_id")
}
stop_collector() {
    kill -TERM "$collector_id" 2>/dev/null
    wait "$collector_id"
}
ready() { asked /readyz >/dev/null 2>&1; }
knows_device() { farwatch devices list --json 2>/dev/null | grep -q '"status":"online"'; }
delivered() { [ "$(asked /v1/devices/packaged 2>/dev/null | sed -n 's/.*"samples_stored":\([0-9]*\).*/\1/p')" -ge 500 ] 2>/dev/null; }

collector_life() {
    local deb
    deb=$(deb_of farwatch-collector)
    cp "$deb" "$root/packages/collector.deb"
    cp "$(deb_of farwatch)" "$root/packages/farwatch.deb"
    repack "$deb" 99.0 "$root/packages/collector-newer.deb"
    http_port=$(free_port)
    broker_port=$(free_port)

    local dependencies
    dependencies=$(inside apt-get install -s -q --no-install-recommends /packages/collector.deb /packages/farwatch.deb /packages/now.deb mosquitto |
        sed -n 's/^Inst \([^ ]*\).*/\1/p' | grep -v '^farwatch')
    # shellcheck disable=SC2086 # names of packages, one a word
    check "collector: what it depends on is in Debian" apt_install $dependencies
    listing >"$work/before"
    check "collector: it is installed, and the command line" apt_install /packages/collector.deb /packages/farwatch.deb
    check "collector: it has a user of its own" inside id farwatch-collector
    check "collector: its configuration is a conffile" inside grep -q "/etc/farwatch/collector.yaml" /var/lib/dpkg/info/farwatch-collector.conffiles
    check "collector: its configuration is valid" as farwatch-collector farwatch-collector check-config

    local password=FARWATCH_BROKER_PASSWORD_FILE=/packages/collector-password user=FARWATCH_BROKER_USERNAME=collector
    printf 'listener %s 127.0.0.1\npassword_file /packages/passwords\n' "$broker_port" >"$root/packages/broker.conf"
    echo opened >"$root/packages/collector-password"
    inside mosquitto_passwd -c -b /packages/passwords collector opened >/dev/null
    inside mosquitto_passwd -b /packages/passwords packaged token-of-packaged >/dev/null
    chmod 0644 "$root/packages/passwords"
    chroot "$root" /usr/sbin/mosquitto -c /packages/broker.conf >"$work/broker.log" 2>&1 &
    local broker_id=$!
    processes+=("$broker_id")
    start_collector "$password" "$user"
    check "collector: it is ready, with its stores and a broker" wait_for ready
    check "collector: doctor finds nothing wrong" inside FARWATCH_BROKER_PORT="$broker_port" "$password" "$user" farwatch-collector doctor
    preseed collector-address string "127.0.0.1:$broker_port"
    preseed enrolment-token password token-of-packaged
    check "an agent is installed beside it, told where to deliver and its token" apt_install /packages/now.deb
    start_agent FARWATCH_DEVICE_ID=packaged
    check "what the agent's package samples reaches the collector's, and the command line tells of it" wait_for knows_device
    check "it is stored" wait_for delivered
    stop_agent
    stop_collector
    check "collector: it ended by itself when it was told to" grep -q "stopped" "$work/collector.log"

    check "collector: it is upgraded" apt_install /packages/collector-newer.deb
    start_collector "$password" "$user"
    check "collector: it has after the upgrade what it had" wait_for delivered
    stop_collector
    collector_downgrade_refused() {
        ! apt_install --allow-downgrades /packages/collector.deb >"$work/downgrade" 2>&1 && grep -q "older collector" "$work/downgrade"
    }
    check "collector: a downgrade is refused, and told why" collector_downgrade_refused
    check "collector: the newer one is still installed" version_is farwatch-collector "99.0 installed"
    check "collector: it is removed" inside apt-get remove -y -q farwatch-collector
    check "collector: removing keeps the stores" test -s "$root/var/lib/farwatch/collector/timeseries.sqlite"
    check "collector: removing keeps the configuration" test -s "$root/etc/farwatch/collector.yaml"
    check "all of it is purged" inside apt-get purge -y -q farwatch-collector farwatch farwatch-agent
    kill -TERM "$broker_id"
    wait "$broker_id"
    rm -rf "$root/run/farwatch"
    listing >"$work/after"
    check "purging leaves nothing of any of them" diff "$work/before" "$work/after"
}
