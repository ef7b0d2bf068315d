# shellcheck shell=bash
# What the tests of the view as a file system share. Sourced after lib.sh.

# Where the helper programs are; for_each_user hands it to the ordinary user.
export TEST_POSIX
TEST_POSIX=$(shared_copy "$SCOPEFS_BUILDDIR/t/posix")

# Two views of one source in the work folder, in which all may be written: $one and $other.
mount_two() {
    source=$workdir/source one=$workdir/one other=$workdir/other
    mkdir -p "$source" "$one" "$other"
    local place
    for place in "$one" "$other"; do
        run scopefs mount --source "$source" --rule write=/ "$place"
        ((status == 0)) && continue
        flunk "a view of $source is mounted"
        test_diag_run
        return 1
    done
}

# Runs a helper program that prints TAP; its results count as this test's.
results_of() { # PROGRAM ARGUMENT...
    local program=$1 line ended=
    shift
    while IFS= read -r line; do
        case $line in
        'ok '*) pass "${line#ok * - }" ;;
        'not ok '*) flunk "${line#not ok * - }" ;;
        1..*) ended=yes ;;
        *) printf '%s\n' "$line" ;;
        esac
    done < <("$TEST_POSIX/$program" "$@" </dev/null)
    [[ $ended ]] || flunk "$program $* runs to its end"
}
