#!/usr/bin/env bash
# Many views on one host: nothing wakes where nothing happens, and a flood of refusals holds nobody up.
# How long many take is measured by bench/many, as that decides nothing on a busy machine.
[[ $EUID != 0 || ${SCOPEFS_OWN_WORLD:-} ]] ||
    SCOPEFS_OWN_WORLD=yes exec unshare --mount --propagation private bash "$0"
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
enter_own_world

export TEST_SANITIZED=no
! is_sanitized || TEST_SANITIZED=yes

field() { # SCOPE FIELD: of scopefs ps --json
    scopefs ps --json "$1" | sed -nE "s/.*\"$2\":\"?([^,\"}]*).*/\1/p"
}

# How often the threads of the processes were given a processor.
wakings() { # PROCESS...
    local process
    for process; do
        cat "/proc/$process"/task/*/status
    done | awk '/ctxt_switches/ { sum += $2 } END { print sum }'
}

sleeps_when_idle() {
    mkdir -p source m
    echo text >source/file
    local number processes before after
    {
        for number in {1..30}; do
            printf '[scope many-%d]\nsource = source\nmount = m/%d\ndefault = read\nexpires = 2h\nidle = 1h\n' "$number" "$number"
        done
    } >many.ini
    ok "thirty views" scopefs up -c many.ini
    cat m/*/file >/dev/null
    mapfile -t processes < <(scopefs ps --json | grep '"scope":"many-' | grep -oE '"(pid|server_pid)":[0-9]+' | cut -d: -f2)
    is "of two processes each" "${#processes[@]}" 60
    if [[ $TEST_SANITIZED == yes ]]; then
        scopefs down -c many.ini >/dev/null
        return
    fi
    # They have just been asked: until that is over, and what the kernel says after it.
    wait_for '[[ $(wakings "${processes[@]}") == $(wakings "${processes[@]}") ]]'
    wait_for 'before=$(wakings "${processes[@]}"); sleep 0.3; [[ $(wakings "${processes[@]}") == "$before" ]]'
    before=$(wakings "${processes[@]}")
    # This is about time: nothing in it may come.
    sleep 2
    after=$(wakings "${processes[@]}")
    is "are not woken once in two seconds in which nothing happens" "$((after - before))" 0
    ok "down" scopefs down -c many.ini
}

holds_nobody_up() {
    mkdir -p source m
    printf '[scope flood]\nsource = source\nmount = m\ndefault = write\n[rules flood]\nnone = /hid*\n' >flood.ini
    scopefs up -c flood.ini >/dev/null
    # shellcheck disable=SC2034 # in what wait_for evaluates
    local supervisor told turn=0
    supervisor=$(field flood pid)
    # Whoever would wait for it waits now for ever.
    kill -STOP "$supervisor"
    ok "with a supervisor that takes nothing" timeout 60 perl -e 'lstat("m/hid$_") for 1 .. 20000'
    kill -CONT "$supervisor"
    wait_for '[[ $(field flood refusals) == 20000 ]]'
    is "every refusal is counted" "$(field flood refusals)" 20000
    wait_for 'cat "m/hidden-last$((turn++))" 2>/dev/null; scopefs log --json flood 2>/dev/null | grep -q "\"dropped\""'
    scopefs down -c flood.ini >/dev/null
    told=$(scopefs log --json flood | perl -ne '
        my $times = 1 + (/"repeats":(\d+)/ ? $1 : 0);
        $sum += $times unless /hidden-last/;
        $sum += $1 if /"dropped":(\d+)/;
        END { print $sum }')
    is "what was recorded and what was dropped is all that there was" "$told" 20000
}

for_each_user sleeps_when_idle
for_each_user holds_nobody_up
done_testing
