# shellcheck shell=bash
# What a mount costs in memory, before and after the kernel asked for many names and after it forgot
# them. Sourced by bench/run, which sets work, results and target_names, as root: nobody else may look
# into the server, or make the kernel forget.
# shellcheck disable=SC2154

process_pss() { # PID: in KiB
    awk '/^Pss:/ { print $2 }' "/proc/$1/smaps_rollup"
}

# Server and supervisor; who was started by another of them serves.
print_memory() { # TARGET FILES WHEN
    local processes process parent server='' supervisor=0
    mapfile -t processes < <(target_processes "$1")
    for process in "${processes[@]}"; do
        parent=$(awk '/^PPid:/ { print $2 }' "/proc/$process/status")
        if ((${#processes[@]} == 1)) || [[ " ${processes[*]} " == *" $parent "* ]]; then
            server=$process
        else
            supervisor=$(process_pss "$process")
        fi
    done
    [[ -n $server ]] || return 1
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$(process_pss "$server")" "$supervisor" \
        "$(find "/proc/$server/fd" -mindepth 1 | wc -l)" | tee -a "$results/memory" >/dev/null
}

target_pss() { # TARGET
    local process sum=0
    for process in $(target_processes "$1"); do
        ((sum += $(process_pss "$process")))
    done
    printf '%s\n' "$sum"
}

# The messages about what the kernel has forgotten come in the background: wait for the last one.
wait_until_steady() { # TARGET
    local before=-1 now tries
    for ((tries = 0; tries < 60; tries++)); do
        now=$(target_pss "$1")
        ((now != before)) || return 0
        before=$now
        sleep 0.3
    done
}

measure_memory_of() { # TARGET FILES SOURCE
    local seconds
    mount_target "$1" "$3" >/dev/null || return
    as_user ls "$work/$1/view" >/dev/null
    print_memory "$1" "$2" mounted
    if seconds=$(as_user "$SCOPEFS_BENCH_HELPERS/measure" walk 1 "$work/$1/view"); then
        print_memory "$1" "$2" walked
        printf '%s\t%s\t%s\t%s\n' "$1" "$2" walk-seconds "$seconds" >>"$results/memory"
    fi
    echo 2 >/proc/sys/vm/drop_caches
    wait_until_steady "$1"
    print_memory "$1" "$2" forgotten
    unmount_target "$1"
}

measure_memory() { # FILES
    local name source=$work/many-$1
    as_user "$SCOPEFS_BENCH_HELPERS/tree" "$source" "$1" empty
    for name in "${target_names[@]}"; do
        [[ $name == native ]] || measure_memory_of "$name" "$1" "$source"
    done
    rm -rf "$source"
}
