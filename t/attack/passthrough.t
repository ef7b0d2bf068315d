#!/bin/bash
# Files that the kernel reads and writes without the server: what the rules, the quota and the record hold
# of them, and that it is left where it cannot be had. Needs root and libfuse 3.17 to show all of it.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"

state_of() { # SCOPE
    scopefs ps --json "$1" | sed -n 's/.*"passthrough":"\([a-z]*\)".*/\1/p'
}

operations_of() { # SCOPE
    scopefs ps --json "$1" | sed -n 's/.*"operations":\([0-9]*\).*/\1/p'
}

# Appends a scope with these settings, with a source of its own. Half a megabyte is worth the way.
scope_with() { # NAME SETTING...
    local name=$1
    shift
    mkdir -p "$workdir/$name"
    head -c 524288 /dev/urandom >"$workdir/$name/big"
    {
        printf '[scope %s]\nsource = %s\n' "$name" "$name"
        printf '%s\n' "$@"
    } >>"$workdir/scopefs.ini"
    config=$workdir/scopefs.ini
}

# The operations that reading (or overwriting) half a megabyte 64 times takes in the present view.
cost_of() { # SCOPE read|write
    local before how=(if="$view/big" of=/dev/null)
    [[ $2 == read ]] || how=(if=/dev/zero of="$view/big" conv=notrunc)
    before=$(operations_of "$1")
    dd "${how[@]}" bs=8k count=64 status=none
    echo $(($(operations_of "$1") - before))
}

# What the host lacks for it, by the word of `ps`; "on" when nothing.
what_is_missing() {
    scope_with "wanted-$$" 'default = write' 'passthrough = auto'
    mount_view "wanted-$$" || return
    missing=$(state_of "wanted-$$")
    ok "a view that asks for it works, with or without" cmp "$view/big" "$workdir/wanted-$$/big"
    unmount_view
}

ordinary_or_old() {
    what_is_missing
    if [[ $missing == on ]]; then
        pass "the host has it"
        return
    fi
    like "the view says what is missing" "$missing" '^(libfuse|kernel|unprivileged)$'
    scope_with "insists-$$" 'default = write' 'passthrough = yes'
    mkdir -p refused
    fails "who insists gets no view" scopefs mount -c "$config" "insists-$$" refused
    like "and is told" "$errors" 'passthrough = yes, but |see the log'
}

reads_and_writes() {
    scope_with fast 'default = write' 'passthrough = yes' '[rules fast]' 'read = /ro' 'none = /no'
    mount_view fast || return
    is "it is on" "$(state_of fast)" on
    ok "content is the source's" cmp "$view/big" fast/big
    ok "reading asks for little more than to open" test "$(cost_of fast read)" -lt 20
    ok "and so does writing" test "$(cost_of fast write)" -lt 20
    ok "what was written is in the source" cmp "$view/big" fast/big
    cp fast/big fast/ro && cp fast/big fast/no
    ok "what may be read is read" cmp "$view/ro" fast/big
    fails "but not opened for writing" dd if=/dev/zero of="$view/ro" bs=8k count=1 conv=notrunc
    fails "what is hidden is not opened" cat "$view/no"
    # While the file is open in one way, other ways must not fail.
    # shellcheck disable=SC2094 # on purpose
    exec 8<"$view/big" 9<>"$view/big"
    ok "opened to append while it is open" bash -c 'echo end >>"$1"' - "$view/big"
    is "what was appended is there" "$(tail -c 4 fast/big)" end
    ok "opened for direct reading while it is open" dd if="$view/big" of=/dev/null iflag=direct bs=4k count=4
    ok "truncated while it is open" truncate -s 400000 "$view/big"
    is "the size is at once the new one" "$(stat -Lc %s /dev/fd/8)" 400000
    exec 8<&- 9<&-
    ln fast/ro fast/name
    exec 8<"$view/ro" 9<>"$view/name"
    printf other >&9
    is "two names of one file show the same, each at its level" "$(head -c 5 <&8)" other
    fails "and only the name that may be written" dd if=/dev/zero of="$view/ro" bs=1 count=1 conv=notrunc
    exec 8<&- 9<&-
    rm fast/ro fast/name
}

# The kernel takes no two ways of one file at the same time.
ways() {
    local seed
    scope_with "ways-$1" 'default = write' "passthrough = $1"
    mount_view "ways-$1" || return
    is "passthrough = $1" "$(state_of "ways-$1")" "$2"
    for seed in 1 2 3; do
        ok "a file is opened in all ways at once, $seed" python3 "$SCOPEFS_SRCDIR/t/attack/ways.py" "$view" "$seed"
    done
    ok "what is unlinked, renamed over or has no name is used in all ways" \
        "$SCOPEFS_BUILDDIR/t/posix/handles" "$view" "ways-$1"
    unmount_view
}

# As the manual says: rules do not reach what the kernel has open.
keeps_what_is_open() {
    exec 8<"$view/big"
    sed -i 's/^none = .*/none = \/big/' "$config"
    ok "rules are reloaded" scopefs reload fast
    fails "what is hidden now is not opened any more" cat "$view/big"
    is "what was open before is still read" "$(cksum <&8)" "$(cksum <fast/big)"
    exec 8<&-
}

processes() {
    local supervisor server registrar
    supervisor=$(pgrep -o -f "^[^ ]*scopefs mount .*fast")
    server=$(pgrep -P "$supervisor")
    registrar=$(pgrep -P "$server")
    is "the server has not got the right to register" \
        "$(sed -n 's/^CapPrm:\s*//p' "/proc/$server/status")" 000000000000001f
    is "who has it has no other" \
        "$(sed -n 's/^CapPrm:\s*//p' "/proc/$registrar/status")" 0000000000200000
    is_sanitized || is "its system calls are filtered" "$(sed -n 's/^Seccomp:\s*//p' "/proc/$registrar/status")" 2
    kill -KILL "$server"
    ok "it ends with the server" wait_for "[[ ! -e /proc/$registrar/cmdline ]]"
    ok "and the view is dead" wait_for '[[ $(ls "$view" 2>&1) == *"not connected"* ]]'
    umount "$view"
}

goes_on_without_registrar() {
    scope_with alone 'default = write' 'passthrough = yes'
    mount_view alone || return
    exec 8<>"$view/big"
    kill -KILL "$(pgrep -P "$(pgrep -P "$(pgrep -o -f '^[^ ]*scopefs mount .*alone')")")"
    is "without the registrar, what is open goes on" "$(cksum <&8)" "$(cksum <alone/big)"
    ok "also opened once more" cmp "$view/big" alone/big
    head -c 300000 /dev/urandom >alone/new
    ok "and what is opened then" cmp "$view/new" alone/new
    is "the view says so" "$(state_of alone)" refused
    exec 8<&-
    unmount_view
}

counted_and_recorded() {
    scope_with counted 'default = write' 'passthrough = auto' 'quota = 1M'
    scope_with recorded 'default = write' 'passthrough = auto' 'log = writes'
    scope_with all 'default = write' 'passthrough = auto' 'log = all'
    mount_view counted || return
    ok "with a quota, reading is the kernel's" test "$(cost_of counted read)" -lt 20
    exec 8<"$view/big"
    fails "but what is written is counted, also while the file is open" \
        dd if=/dev/zero of="$view/big" bs=64k count=32 oflag=append conv=notrunc
    like "and ends there" "$errors" 'No space left'
    exec 8<&-
    ok "no more than that was written" test "$(stat -c %s counted/big)" -le 1572864
    unmount_view
    mount_view recorded || return
    ok "where writes are recorded, reading is the kernel's" test "$(cost_of recorded read)" -lt 20
    exec 8<"$view/big"
    ok "each write is the server's" test "$(cost_of recorded write)" -ge 64
    exec 8<&-
    unmount_view
    mount_view all || return
    is "where all is recorded, nothing is" "$(state_of all)" log
    ok "reading is the server's" cmp "$view/big" all/big
    unmount_view
}

all_of_it() {
    what_is_missing
    [[ $missing == on ]] || return
    ways yes on
    ways no off
    reads_and_writes
    keeps_what_is_open
    processes
    goes_on_without_registrar
    counted_and_recorded
}

for_each_user ordinary_or_old
((EUID != 0)) || test_run_body all_of_it
if ((EUID == 0)); then
    new_workdir
    while IFS= read -r line; do
        case $line in
        'ok '*) pass "registrar: ${line#ok * - }" ;;
        'not ok '*) flunk "registrar: ${line#not ok * - }" ;;
        1..*) ended=yes ;;
        esac
    done < <("$SCOPEFS_BUILDDIR/t/attack/registrar" "$workdir")
    is "the registrar's own test runs to its end" "${ended:-}" yes
fi
done_testing
