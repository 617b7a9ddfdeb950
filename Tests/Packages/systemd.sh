# Both services under a systemd of their own: it starts them, hands passwords to them, holds them in what their units say, and starts them again; sourced by
# Tests/Packages/run. What was put into /packages before is installed again.

# A machine in namespaces: its own processes, mounts and control groups, this machine's network and kernel. Its first process is $machine.
boot_machine() {
    local groups
    groups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
    [ -n "$groups" ] || return 1
    machine_group=$groups/farwatch-test-$$
    mkdir "$machine_group" || return 1
    cat >"$work/boot" <<'TEXT'
set -e
echo $$ >"$2/cgroup.procs"
exec unshare --pid --fork --kill-child --mount --uts --ipc --cgroup sh -ec '
    root=$1
    mount --make-rprivate /
    mountpoint -q "$root/proc" && umount "$root/proc"
    # What systemd makes for each service begins at a mount.
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    mount -t tmpfs -o mode=0755 tmpfs "$root/run"
    mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
    for device in null zero full random urandom tty; do cp -a /dev/$device "$root/dev/"; done
    ln -s /proc/self/fd "$root/dev/fd"
    # PrivateDevices copies it.
    ln -s pts/ptmx "$root/dev/ptmx"
    mkdir "$root/dev/shm" "$root/dev/pts"
    mount -t tmpfs tmpfs "$root/dev/shm"
    cd "$root"
    pivot_root . mnt
    umount -l mnt
    mount --make-rshared /
    exec /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=farwatch /lib/systemd/systemd --system --log-target=journal --show-status=no
' sh "$1"
TEXT
    sh "$work/boot" "$root" "$machine_group" >"$work/systemd.log" 2>&1 &
    processes+=($!)
    machine_above=$!
    wait_for machine_runs
}
machine_runs() {
    machine=$(pgrep -P "$machine_above" -x systemd | head -n 1)
    # Degraded: what wants devices or a kernel's modules fails here, and is not what is tried.
    [ -n "$machine" ] && grep -qE 'running|degraded' < <(on_machine systemctl is-system-running 2>/dev/null)
}
on_machine() { nsenter --target "$machine" --mount --pid --uts --ipc --cgroup --root --wd env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"; }
shut_machine_down() {
    # SIGRTMIN+4: "Powers off the machine, starts the poweroff.target unit" (systemd(1)); in namespaces that ends its first process.
    kill -38 "$machine" 2>/dev/null
    wait_for machine_is_gone
}
machine_is_gone() { ! kill -0 "$machine" 2>/dev/null; }
is_active() { [ "$(on_machine systemctl is-active "$1")" = active ]; }
shown() { on_machine systemctl show -P "$2" "$1"; }

systemd_life() {
    local service
    preseed collector-address string "127.0.0.1:$broker_port"
    preseed enrolment-token password token-of-packaged
    inside apt-get install -y -q --no-install-recommends dbus systemd-sysv /packages/now.deb /packages/collector.deb /packages/farwatch.deb \
        >"$work/systemd-install.log" 2>&1
    chroot "$root" /usr/sbin/mosquitto -c /packages/broker.conf >"$work/broker.log" 2>&1 &
    processes+=($!)
    # The broker of the test is not its.
    ln -sf /dev/null "$root/etc/systemd/system/mosquitto.service"
    rm -f "$root/usr/sbin/policy-rc.d"
    mkdir -p "$root/etc/credstore" "$root/etc/farwatch/collector.d"
    (umask 077 && echo opened >"$root/etc/credstore/farwatch.broker-password")
    cat >"$root/etc/farwatch/collector.d/test.yaml" <<TEXT
broker:
  host: 127.0.0.1
  port: $broker_port
  username: collector
  password_file: /run/credentials/farwatch-collector.service/farwatch.broker-password
http: {port: $http_port}
TEXT
    printf 'device: {id: packaged}\nsampling: {interval: 100ms}\nbuffer: {seal_ticks: 4}\n' >"$root/etc/farwatch/agent.d/test.yaml"
    if ! boot_machine; then
        skip "no systemd could be started here: $(tail -n 1 "$work/systemd.log" 2>/dev/null)"
        return
    fi
    for service in farwatch-agent farwatch-collector; do
        check "systemd: $service has said that it is ready" wait_for is_active "$service"
        check "systemd: $service signs for its watchdog" test "$(shown "$service" WatchdogUSec)" = "1min 30s"
    done
    check "systemd: the collector has its password by a credential, and the broker takes it" wait_for ready
    check "systemd: what the agent samples is stored" wait_for delivered
    closed_password() { ! on_machine setpriv --reuid=farwatch-agent --clear-groups cat /run/credentials/farwatch-collector.service/farwatch.broker-password; }
    check "systemd: another user cannot read the credential" closed_password
    runs_as() { [ "$(on_machine stat -c %U "/proc/$(shown "$1" MainPID)")" = "$1" ]; }
    check "systemd: the agent runs as its own user" runs_as farwatch-agent
    check "systemd: the collector runs as its own user" runs_as farwatch-collector
    # What their units keep from them, seen from within.
    confined() { on_machine grep -E '^(NoNewPrivs:\s*1|Seccomp:\s*2)$' "/proc/$(shown "$1" MainPID)/status" | wc -l | grep -qx 2; }
    check "systemd: the agent is confined" confined farwatch-agent
    check "systemd: the collector is confined" confined farwatch-collector
    has_fields() { on_machine journalctl -q -o json FARWATCH_DEVICE=packaged | grep -q '"MESSAGE"'; }
    check "systemd: the journal has fields" wait_for has_fields
    on_machine systemctl kill --signal=KILL farwatch-agent
    is_restarted() { [ "$(shown farwatch-agent NRestarts)" -ge 1 ] && is_active farwatch-agent; }
    check "systemd: the agent is started again" wait_for is_restarted
    check "systemd: doctor has nothing to say of the collector" on_machine farwatch-collector doctor
    for service in farwatch-agent farwatch-collector; do
        on_machine systemctl stop "$service"
        check "systemd: $service ends well" test "$(shown "$service" Result)" = success
    done
    shut_machine_down
}
