# What Tests/Compatibility/run does with programs of two releases; sourced by it. $agent is this tree's agent, $previous_agent the other one.

root=$work/none
says_version() { "$1" --version | tee -a "$work/said" | grep -qwF "$2"; }

start_broker() {
    broker_port=$(free_port)
    http_port=$(free_port)
    printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$broker_port" >"$work/broker.conf"
    mosquitto -c "$work/broker.conf" >"$work/broker.log" 2>&1 &
    processes+=($!)
}
asked() { curl -fsS --max-time 10 "http://127.0.0.1:$http_port$1"; }
ready() { asked /readyz >/dev/null 2>&1; }
start_collector() { # PROGRAM FOLDER
    FARWATCH_BROKER_PORT=$broker_port FARWATCH_HTTP_PORT=$http_port FARWATCH_DATA_DIRECTORY=$work/$2 "$1" serve >>"$work/collector.log" 2>&1 &
    collector_id=$!
    processes+=("$collector_id")
    check "the collector is ready" wait_for ready
}
stop_collector() { # SIGNAL
    kill "-${1:-TERM}" "$collector_id"
    wait "$collector_id" 2>/dev/null
}

# An agent's settings are its environment, put into $settings. settings_of DEVICE
settings_of() {
    settings=(FARWATCH_DEVICE_ID="$1" FARWATCH_BROKER_PORT="${port:-$broker_port}" FARWATCH_SAMPLING_INTERVAL=100ms FARWATCH_BUFFER_SEAL_TICKS=4
        FARWATCH_STATUS_SOCKET="$work/$1.sock" FARWATCH_BUFFER_PATH="$work/$1.sqlite")
}
with_agent() { # DEVICE COMMAND…
    settings_of "$1"
    shift
    env "${settings[@]}" "$@"
}
start_agent() { # PROGRAM DEVICE
    settings_of "$2"
    # No function: the process is to be the agent's.
    env "${settings[@]}" "$1" run >>"$work/$2.log" 2>&1 &
    agent_id=$!
    processes+=("$agent_id")
}
stop_agent() {
    kill -TERM "$agent_id"
    wait "$agent_id" 2>/dev/null
}
# number KEY: of JSON that comes in.
number() { sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" | head -n 1; }
waiting() { with_agent "$2" "$1" buffer status --json | number samples; } # PROGRAM DEVICE
waits() { [ "$(waiting "$1" "$2" 2>/dev/null || echo 0)" -ge "$3" ] 2>/dev/null; } # PROGRAM DEVICE SAMPLES
stored() { asked "/v1/devices/$1" 2>/dev/null | number samples_stored; }
is_stored() { [ "$(stored "$1" || echo 0)" -ge "$2" ] 2>/dev/null; } # DEVICE SAMPLES
is_refused() { asked "/v1/quarantine?device=$1" | grep -F "\"reason\":\"${2:-}"; } # DEVICE [REASON]
nothing_refused() { ! is_refused "$1"; }
# Nothing waits any more but what came while it was looked at.
is_drained() { [ "$(with_agent "$2" "$1" status --json 2>/dev/null | number unacknowledged_batches)" = 0 ]; } # PROGRAM DEVICE

delivers() { # PROGRAM DEVICE
    start_agent "$1" "$2"
    check "$2: what it samples is stored" wait_for is_stored "$2" 500
    check "$2: its buffer empties" wait_for is_drained "$1" "$2"
    stop_agent
    check "$2: nothing is refused" nothing_refused "$2"
}

survives_a_crash() { # PROGRAM DEVICE COLLECTOR FOLDER
    start_agent "$1" "$2"
    check "$2: it delivers" wait_for is_stored "$2" 100
    stop_collector KILL
    check "$2: it keeps while the collector is dead" wait_for waits "$1" "$2" 500
    stop_agent
    local kept
    kept=$(($(waiting "$1" "$2") + 100))
    start_collector "$3" "$4"
    start_agent "$1" "$2"
    check "$2: all $kept samples are stored" wait_for is_stored "$2" "$kept"
    check "$2: its buffer empties" wait_for is_drained "$1" "$2"
    stop_agent
    check "$2: nothing is refused" nothing_refused "$2"
}

# What the older agent has kept is delivered by the newer one.
upgrade() {
    port=1
    start_agent "$previous_agent" upgraded
    port=
    check "upgraded: the older agent keeps" wait_for waits "$previous_agent" upgraded 1000
    stop_agent
    local kept
    kept=$(waiting "$previous_agent" upgraded)
    knows_all() { [ "$(waiting "$agent" upgraded)" = "$kept" ]; }
    check "upgraded: the newer one sees all $kept samples" knows_all
    start_agent "$agent" upgraded
    check "upgraded: it delivers them" wait_for is_stored upgraded "$kept"
    check "upgraded: its buffer empties" wait_for is_drained "$agent" upgraded
    stop_agent
    check "upgraded: nothing is refused" nothing_refused upgraded
    downgraded() {
        # One that can read the file goes on with it; one that cannot says so and leaves it as it is.
        cp "$work/upgraded.sqlite" "$work/before.sqlite"
        with_agent upgraded timeout 5 "$previous_agent" buffer verify && return 0
        with_agent upgraded timeout 5 "$previous_agent" run 2>&1 | grep -i "newer" && cmp "$work/before.sqlite" "$work/upgraded.sqlite"
    }
    check "downgraded: the older agent reads the buffer, or refuses it in words and leaves it alone" downgraded
}

send() { # CASE DEVICE STREAM SEQUENCE TOPIC
    python3 -B Tests/Compatibility/newer.py "$1" "$2" "$3" "$4" >"$work/message" &&
        mosquitto_pub -V 5 -q 1 -h 127.0.0.1 -p "$broker_port" -t "farwatch/v1/$2/$5" -f "$work/message"
}
answered() { # DEVICE BYTES: whether an acknowledgement with this text came
    grep -aq "$2" "$work/$1.answers"
}
newer_messages() {
    local listener
    mosquitto_sub -V 5 -q 1 -h 127.0.0.1 -p "$broker_port" -t farwatch/v1/future/ack >"$work/future.answers" 2>&1 &
    listener=$!
    processes+=("$listener")
    is_heard() { send event future 77 "$1" up && sleep 0.2 && [ -s "$work/future.answers" ]; }
    check "an event with members that nobody knows is taken" wait_for is_heard 1
    check "it is kept" grep -q of_a_newer_agent "$work/new/documents.sqlite" "$work/new/documents.sqlite-wal"
    check "it is not refused" nothing_refused future
    send kind future 77 2 up
    check "a kind that is not known is refused by name" wait_for is_refused future unknown_kind
    check "and the device is told so" wait_for answered future unknown_kind
    send block future 77 3 up
    check "a block of another format is refused by name" wait_for is_refused future unknown_version
    told_notice() { send header future 77 4 up && sleep 0.3 && is_refused future unknown_version | grep -qF batch.version; }
    check "a batch of another version is refused by name" wait_for told_notice
    # Of each the bytes are kept, so that a newer collector can take them.
    kept_whole() { asked "/v1/quarantine?device=future" | grep -o '"cut":false' | wc -l | grep -qx "${1:-[2-9]}"; }
    check "what was refused is kept whole" kept_whole
    kill "$listener"
}

# Answers of a version that it does not know take nothing out of its buffer; there is no collector now.
newer_answers() {
    start_agent "$agent" answered
    check "answered: it keeps what nobody has taken" wait_for waits "$agent" answered 200
    local before
    before=$(waiting "$agent" answered)
    for sequence in 1 2 3 4 5; do send acknowledgement answered "$(stream_of answered)" "$sequence" ack; done
    check "answered: and goes on" wait_for waits "$agent" answered $((before + 100))
    stop_agent
    check "answered: all of it is whole" with_agent answered "$agent" buffer verify
}
stream_of() { printf '%d' "0x$(with_agent "$1" "$agent" buffer status --json | sed -n 's/.*"stream": *"\(0x\)\{0,1\}\([0-9a-f]*\)".*/\2/p')"; }

upgrade_collector() {
    start_collector "$build/farwatch-collector" old
    check "the newer collector has what the older one had stored" is_stored newer 500
    delivers "$agent" newer
    stop_collector
}
