#!/bin/bash
# All that a command can see, each kind as one list that is compared exactly.
. "${0%/*}/../lib.sh"
. "${0%/*}/common.sh"

# Those of the given paths that are on this host.
present() {
    local path
    for path in "$@"; do
        [[ ! -e $path ]] || printf '%s\n' "$path"
    done
}

lines() { printf '%s\n' "$@" | sort; }

places() {
    local system_paths=(/bin /sbin /lib /lib32 /lib64 /libx32)
    local etc_paths=(
        /etc/alternatives /etc/ca-certificates /etc/crypto-policies /etc/ld.so.cache
        /etc/ld.so.conf /etc/ld.so.conf.d /etc/localtime /etc/mime.types /etc/os-release
        /etc/protocols /etc/services /etc/ssl/certs /etc/ssl/openssl.cnf
        /etc/pki/ca-trust/extracted /etc/pki/tls/certs
    )
    local expected binds path
    make_project
    run in_sandbox find / -mindepth 1 -maxdepth 1
    is "the root" "$(sort <<<"$output")" "$(
        {
            lines /dev /etc /home /proc /run /tmp /usr /var /workspace
            present "${system_paths[@]}"
        } | sort
    )"
    run in_sandbox find /etc -mindepth 1 -maxdepth 1
    expected=$({
        printf '/etc/%s\n' passwd group hosts nsswitch.conf mtab
        present "${etc_paths[@]}" | cut -d/ -f1-3
    } | sort -u)
    is "/etc" "$(sort <<<"$output")" "$expected"
    run in_sandbox find /home /run /tmp /var /dev/shm
    is "the empty folders" "$(sort <<<"$output")" \
        "$(lines /home /home/agent /run /tmp /var /var/tmp /dev/shm)"
    run in_sandbox find /dev -mindepth 1 -maxdepth 1
    is "/dev" "$(sort <<<"$output")" "$(lines /dev/core /dev/fd /dev/full /dev/null /dev/ptmx /dev/pts \
        /dev/random /dev/shm /dev/stderr /dev/stdin /dev/stdout /dev/tty /dev/urandom /dev/zero)"
    run in_sandbox find /workspace
    is "the view" "$(sort <<<"$output")" "$(lines /workspace /workspace/listed /workspace/listed/file \
        /workspace/output /workspace/output/old /workspace/readable)"
    run in_sandbox cut -d' ' -f5 /proc/self/mountinfo
    binds=$(for path in "${system_paths[@]}" "${etc_paths[@]}"; do
        [[ ! -e $path ]] && continue
        # A small file is a copy.
        [[ -f $path && ! -L $path && $(stat -c %s "$path") -le 131072 ]] && continue
        # A link into /usr stays a link.
        [[ -L $path && $(readlink "$path") =~ ^(/|(\.\./)*)usr/ ]] || printf '%s\n' "$path"
    done)
    is "the mounts" "$(grep -v '^/proc/' <<<"$output" | sort)" "$(
        {
            lines / /usr /proc /dev /dev/full /dev/null /dev/pts /dev/random /dev/tty /dev/urandom \
                /dev/zero /dev/shm /tmp /var/tmp /run /home/agent /workspace
            printf '%s\n' "$binds"
        } | sort
    )"
    run in_sandbox awk '$3 ~ /^fuse/ || $4 !~ /(^|,)ro(,|$)/ { print $2 }' /proc/mounts
    is "those that can be written" "$(grep -v -E '^/(proc|dev/(full|null|pts|random|tty|urandom|zero)$)' \
        <<<"$output" | sort)" "$(lines /dev/shm /home/agent /run /tmp /var/tmp /workspace)"
}

process() {
    make_project
    export TEST_SECRET=secret TERM=dumb
    exec 7<"$config" 8<>/dev/null
    # No shell in between: it would add what is its own.
    run in_sandbox perl -e 'opendir D, "/proc/self/fd"; print join(" ", sort grep /\d/, readdir D)'
    exec 7<&- 8>&-
    is "the descriptors: the standard ones, and 3, the listing's own" "$output" "0 1 2 3"
    run in_sandbox perl -0ne 'print "$_\n"' /proc/self/environ
    is "the environment" "$(tr -s '\n' <<<"$output" | sort)" "$(lines HOME=/home/agent LANG=C.UTF-8 \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PWD=/workspace SHELL=/bin/sh \
        TERM=dumb USER=agent)"
    run in_sandbox perl -e 'print join(" ", sort grep -d, glob "/proc/[0-9]*")'
    is "the processes: bwrap's first and the command" "$output" "/proc/1 /proc/2"
    # In each network namespace the kernel has netlink sockets of its own, with port 0.
    run in_sandbox awk 'FNR > 1 && !(FILENAME ~ /netlink/ && $3 == 0)' \
        /proc/net/unix /proc/net/netlink /proc/net/packet
    is "the sockets: none" "$output" ""
    run in_sandbox perl -ne 'print unless /local_address/' /proc/net/tcp /proc/net/udp /proc/net/tcp6 \
        /proc/net/udp6 /proc/net/raw
    is "no internet sockets either" "$output" ""
    run in_sandbox perl -ne 'print if $. > 1' /proc/sysvipc/shm
    is "no shared memory" "$output" ""
}

for_each_user places
for_each_user process
done_testing
