# The agent's package of another architecture, in a root of that one under qemu, delivering to a collector outside; sourced by Tests/Packages/run.

# What the kernel needs to run that architecture's programs by qemu; taken back at the end.
register_emulator() {
    local magic interpreter=/usr/bin/qemu-$1-static
    case $1 in
        aarch64) magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff' ;;
        arm) magic='\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x28\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff' ;;
        riscv64) magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xf3\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff' ;;
        *) return 1 ;;
    esac
    [ -x "$interpreter" ] || return 1
    [ -e /proc/sys/fs/binfmt_misc/register ] || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc || return 1
    # Somebody's own registration, of Debian's package for instance, does as well.
    grep -lsx "interpreter .*/qemu-$1\(-static\)\{0,1\}" /proc/sys/fs/binfmt_misc/* >/dev/null && return 0
    # F: the interpreter is opened now, so that roots need not have it.
    registered=farwatch-$1-$$
    printf ':%s:M::%s:%s:F' "$registered" "$magic" "$interpreter" >/proc/sys/fs/binfmt_misc/register
}

collector_knows() { # PATH PATTERN: in what the collector answers
    curl -fsS "http://127.0.0.1:$http_port/v1/$1" 2>/dev/null | grep -q "$2"
}

# Numbers of 32 bits, and a time that ends behind the year 2038.
hostile_files() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=foreign.example -days 20000 \
        -keyout /dev/null -out "$root/etc/farwatch/long.pem" 2>/dev/null
    printf '\xFE\xED\xFE\xED\0\0\0\2\xFF\xFF\xFF\xFF%060d' 0 >"$root/etc/farwatch/hostile.jks"
}
is_refused() { # FILE: as what it is not, and by the program's own word
    agent certs --json "$1" >"$work/refused"
    [ $? -eq 1 ] && grep -q '"problems":\[{' "$work/refused"
}
agent_doctor() {
    inside FARWATCH_BROKER_PORT="$broker_port" FARWATCH_DEVICE_ID=foreign \
        setpriv --reuid=farwatch-agent --regid=farwatch-agent --clear-groups farwatch-agent doctor
}

foreign_life() {
    local deb says release=${suite:-bookworm}
    case $architecture in
        arm64) emulated=aarch64 says=aarch64 ;;
        armhf) emulated=arm says=armv7l ;;
        riscv64) emulated=riscv64 says=riscv64 release=${suite:-trixie} ;;
        *) skip "no root of $architecture is made here"; return ;;
    esac
    Packaging/prerequisites foreign foreign-tests
    if [ "$(id -u)" -ne 0 ] || ! register_emulator "$emulated"; then
        skip "running $architecture needs root, qemu-$emulated-static and binfmt_misc"
        return
    fi
    part "The package of $architecture"
    check "the agent's package of $architecture is built" Packaging/build-deb --arch "$architecture" "${arguments[@]}" --output "$work/first"
    deb=$(deb_of farwatch-agent)
    [ -n "$deb" ] || return
    check "it is of $architecture" test "$(dpkg-deb -f "$deb" Architecture)" = "$architecture"
    check "it is at most 500 KB: $(stat -c %s "$deb") bytes" test "$(stat -c %s "$deb")" -le 500000
    part "A root of $architecture"
    make_root --arch="$architecture" "$release" || return
    cp "$deb" "$root/packages/now.deb"
    part "Its life"
    check "apt installs it in a root of $architecture" apt_install /packages/now.deb
    check "it is a program of $architecture that runs" as farwatch-agent farwatch-agent --version
    check "it samples" as farwatch-agent farwatch-agent sample --json
    [ -x .build/debug/farwatch-collector ] || swift build --quiet --product farwatch-collector
    http_port=$(free_port)
    broker_port=$(free_port)
    printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$broker_port" >"$work/broker.conf"
    PATH=$PATH:/usr/sbin mosquitto -c "$work/broker.conf" >"$work/broker.log" 2>&1 &
    processes+=($!)
    FARWATCH_BROKER_PORT=$broker_port FARWATCH_HTTP_PORT=$http_port FARWATCH_DATA_DIRECTORY=$work/collector \
        .build/debug/farwatch-collector serve >"$work/collector.log" 2>&1 &
    processes+=($!)
    hostile_files
    check "a key store of endless entries is refused" is_refused /etc/farwatch/hostile.jks
    start_agent FARWATCH_BROKER_PORT="$broker_port" FARWATCH_DEVICE_ID=foreign FARWATCH_CERTIFICATES_PATHS=/etc/farwatch/long.pem
    check "what it samples reaches a collector outside" wait_for collector_knows devices/foreign '"status":"online"'
    # Each comes in a batch of its own.
    check "it says which architecture it is" wait_for collector_knows devices/foreign "$says"
    check "what it says of a certificate reaches the collector" wait_for collector_knows certificates CN=foreign.example
    check "the day on which that ends is told as openssl tells it" collector_knows certificates \
        "$(date -ud "$(openssl x509 -in "$root/etc/farwatch/long.pem" -noout -enddate | cut -d= -f2)" +%Y-%m-%dT%H:%M:%SZ)"
    check "doctor finds nothing wrong" agent_doctor
    stop_agent
    check "nothing waits in its buffer but what it had no answer to" as farwatch-agent farwatch-agent buffer verify
    check "it is purged" inside apt-get purge -y -q farwatch-agent
    check "purging leaves no buffer" test ! -e "$root/var/lib/farwatch"
}
