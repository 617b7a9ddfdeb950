# What debconf asks: answered before the installation, changed later, never asked by an upgrade; sourced by Tests/Packages/run.

# preseed QUESTION TYPE ANSWER
preseed() { echo "farwatch-agent farwatch-agent/$1 $2 $3" | inside debconf-set-selections; }
# answers TEXT…: whether the file that holds them has each of these lines.
answers() {
    local line
    for line in "$@"; do grep -qxF "  $line" "$root/etc/farwatch/agent.d/debconf.yaml" || { cat "$root/etc/farwatch/agent.d/debconf.yaml"; return 1; }; done
}
# reconfigure SCRIPT: dpkg-reconfigure, where a person's editor is `sed -i SCRIPT` on what is asked.
reconfigure() {
    printf '#!/bin/sh\nexec sed -i %s "$1"\n' "'$1'" >"$root/packages/editor"
    chmod +x "$root/packages/editor"
    inside env DEBIAN_FRONTEND=editor EDITOR=/packages/editor VISUAL=/packages/editor dpkg-reconfigure -f editor farwatch-agent
}

questions_life() {
    local shipped
    shipped=$(unpacked farwatch-agent)/etc/farwatch/agent.yaml
    listing >"$work/before"
    preseed collector-address string mqtts://broker.invalid:8884
    preseed enrolment-token password secret-of-this-device
    check "answers given beforehand are taken" apt_install /packages/now.deb
    check "they go beside the configuration" answers 'host: "broker.invalid"' 'port: 8884' 'tls: true' 'password_file: /etc/farwatch/enrolment-token'
    check "the configuration itself is as it came" cmp "$root/etc/farwatch/agent.yaml" "$shipped"
    check "the agent finds them valid" agent check-config
    delivers_there() { { agent doctor || true; } | grep -F broker.invalid; }
    check "the agent goes by them" delivers_there
    token_is_closed() { [ "$(stat -c '%a %u' "$root/etc/farwatch/enrolment-token"; inside stat -c %G /etc/farwatch/enrolment-token)" = $'640 0\nfarwatch-agent' ]; }
    check "the token is for root and the agent alone" token_is_closed
    check "the token is what was given" grep -qx secret-of-this-device "$root/etc/farwatch/enrolment-token"
    token_is_forgotten() { ! grep -rn secret-of-this-device "$root/var/cache/debconf"; }
    check "debconf does not keep the token" token_is_forgotten

    sed -i 's/broker.invalid/by-hand.invalid/' "$root/etc/farwatch/agent.d/debconf.yaml"
    echo "# this device's own" >>"$root/etc/farwatch/agent.yaml"
    check "it is upgraded with another configuration" apt_install -o Dpkg::Options::=--force-confold /packages/newer.deb
    check "an upgrade asks nothing and changes no answer" answers 'host: "by-hand.invalid"' 'port: 8884'
    check "dpkg-reconfigure asks again, from what the file says" reconfigure 's/by-hand.invalid:8884/other.invalid/'
    check "what was answered then is in the file" answers 'host: "other.invalid"' 'tls: true' 'password_file: /etc/farwatch/enrolment-token'
    no_port() { ! answers 'port: 8884'; }
    check "what is no longer answered is not" no_port
    check "the file that somebody had changed is kept aside" grep -q by-hand.invalid "$root/etc/farwatch/agent.d/debconf.yaml.dpkg-old"
    check "the configuration that somebody had changed is as it was" grep -q "this device's own" "$root/etc/farwatch/agent.yaml"
    check "the token stays where none is given" grep -qx secret-of-this-device "$root/etc/farwatch/enrolment-token"

    check "it is purged after questions" inside apt-get purge -y -q farwatch-agent
    rm -rf "$root/run/farwatch"
    listing >"$work/after"
    check "purging leaves no answer" diff "$work/before" "$work/after"
    forgotten() { ! grep -rn farwatch-agent "$root"/var/cache/debconf/*.dat; }
    check "debconf knows nothing of it" forgotten

    preseed collector-address string "x; rm -rf /"
    told_wrong() { apt_install /packages/now.deb >"$work/wrong" 2>&1 && grep -q "is no broker's address" "$work/wrong"; }
    check "an answer that is no address does not keep it from being installed, and is told of" told_wrong
    check "nothing comes of it" test ! -e "$root/etc/farwatch/agent.d"
    inside apt-get purge -y -q farwatch-agent >"$work/purge.log" 2>&1
}
