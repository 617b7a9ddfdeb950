# What was answered is kept here, beside the configuration and over it. It is the administrator's to change.
answers=/etc/farwatch/agent.d/debconf.yaml
token=/etc/farwatch/enrolment-token

# The parts of HOST, HOST:PORT, mqtts://HOST:PORT or mqtt://HOST:PORT, into $host, $port and $tls; fails where it is none of these.
read_address() {
    host=$1 port='' tls=''
    case $host in
        mqtts://*) tls=true ;;
        mqtt://*) tls=false ;;
        *://*) return 1 ;;
    esac
    host=${host#*://}
    host=${host%/}
    case $host in
        \[*\]) host=${host#\[} host=${host%\]} ;;
        \[*\]:*) port=${host##*\]:} host=${host#\[} host=${host%\]:*} ;;
        *:*:*) ;;
        *:*) port=${host##*:} host=${host%:*}; [ -n "$port" ] || return 1 ;;
    esac
    case $host in '' | -* | *[!A-Za-z0-9._:%-]*) return 1 ;; esac
    [ ${#host} -le 255 ] || return 1
    case $port in *[!0-9]* | ??????*) return 1 ;; esac
    [ -z "$port" ] || { [ "$port" -ge 1 ] && [ "$port" -le 65535 ]; }
}

# The address that the answers name; nothing where they name none.
kept_address() {
    [ -f "$answers" ] || return 0
    host=$(kept host) port=$(kept port) tls=$(kept tls)
    case $host in *:*) host="[$host]" ;; esac
    case $tls in true | yes | on) host=${host:+mqtts://$host} ;; false | no | off) host=${host:+mqtt://$host} ;; esac
    echo "$host${port:+:$port}"
}
kept() { sed -n "s/^  $1: *\"\{0,1\}\([^\"# ]*\).*/\1/p" "$answers" | head -n 1; }
