# shellcheck shell=bash disable=SC2154 # variables of lib.sh
# What the tests of the view as a file system share. Sourced after lib.sh.

# Where the helper programs are; for_each_user hands it to the ordinary user.
export TEST_POSIX
TEST_POSIX=$(shared_copy "$SCOPEFS_BUILDDIR/t/posix")

# Two views of one source in the work folder, in which all may be written: $one and $other. Their
# kernels keep what they know as $TEST_CACHE says.
mount_two() {
    source=$workdir/source one=$workdir/one other=$workdir/other
    mkdir -p "$source" "$one" "$other"
    printf '[scope two-%s]\nsource = source\ndefault = write\ncache = %s\n' "$$" "${TEST_CACHE:-auto}" \
        >"$workdir/two.ini"
    local place
    for place in "$one" "$other"; do
        run scopefs mount -c "$workdir/two.ini" "two-$$" "$place"
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

# Runs a helper program natively and in the view.
program_as_natively() { # PROGRAM ARGUMENT...
    # shellcheck disable=SC2031 # functions called from here see the local one
    local program=$1 name=$test_prefix test_prefix
    shift
    mkdir -p "native.$program" "source/$program"
    test_prefix="${name}natively: "
    results_of "$program" "native.$program" "native.$program" "$@"
    test_prefix="${name}view: "
    results_of "$program" "$one/$program" "$source/$program" "$@"
}

# The folder of a view's run files.
run_folder() {
    if ((EUID == 0)); then
        echo /run/scopefs/.run
    else
        echo "$XDG_RUNTIME_DIR/scopefs/.run"
    fi
}

# The name of a view's run file: its device number.
run_name() { # VIEW
    awk -v place="$(realpath -sm "$1")" '$5 == place { name = $3 } END { print name }' \
        /proc/self/mountinfo
}

# The process that answers the kernel for a view, which is the only child of its supervisor.
server_of() { # VIEW
    local supervisor server
    supervisor=$(sed -n 's/^pid = //p' "$(run_folder)/$(run_name "$1")")
    read -r server <"/proc/$supervisor/task/$supervisor/children"
    echo "${server% }"
}

# How many nodes, handles, lock owners and waiters the server has.
counters() { # VIEW
    perl -MIO::Socket::UNIX -e '
        my $server = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$ARGV[0]: $!";
        print $server "counters\n";
        my ($word, $text) = <$server>;
        print $text;' "$(run_folder)/$(run_name "$1").sock"
}

# Whether the kernel reads and writes by itself.
passes_through() { # VIEW
    [[ $(counters "$1") == *passthrough=on* ]]
}

# A small ext4 file system of its own at $source, with mkfs options; for root.
make_disk() { # MEGABYTES OPTION...
    local size=$1
    shift
    source=$workdir/source
    mkdir -p "$source"
    truncate -s "${size}M" disk
    # shellcheck disable=SC2015 # flunk is for all of them
    mkfs.ext4 -q "$@" disk && mount -o loop disk "$source" && chmod 0777 "$source" ||
        flunk "a disk is made and mounted"
}

# --- Views by presets, in which rules forbid things ---

mount_preset() { # PRESET
    write_config <<END
[scope $1]
source = source
preset = $1
END
    mount_view "$1"
}

# Runs shell text in the view: exit status and error message together.
tries() { # NAME STATUS MESSAGE TEXT
    run bash -c "cd '$view' && $4"
    like "$1: exit status" "$status" "^$2$" || test_diag_run
    like "$1: what it says" "$errors" "$3"
}
works() { # NAME TEXT
    ok "$1" bash -c "set -e -o pipefail; cd '$view'; $2"
}
