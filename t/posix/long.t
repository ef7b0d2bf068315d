#!/usr/bin/env bash
# The long form, for make check-long: the view as ext4 sees it from the outside, by the suites that others
# wrote. What is not there is left out. As root, for half an hour:
#
#     make check-long PJDFSTEST=FOLDER FSX=PROGRAM FSSTRESS=PROGRAM STRESS_SECONDS=N
#
#     PJDFSTEST        pjdfstest, built, with its tests folder; it runs natively and, for comparison, in
#                      bindfs (Debian's package), too:
#                          git clone https://github.com/pjd/pjdfstest && cd pjdfstest &&
#                          autoreconf -ifs && ./configure && make pjdfstest
#     FSX, FSSTRESS    ltp/fsx and ltp/fsstress of xfstests:
#                          apt-get install xfslibs-dev libaio-dev libacl1-dev libattr1-dev uuid-dev libtool-bin
#                          git clone https://git.kernel.org/pub/scm/fs/xfs/xfstests-dev.git && cd xfstests-dev &&
#                          make configure && ./configure && make -C include && make -C lib &&
#                          make -C ltp fsx fsstress
#     STRESS_SECONDS   for each of the stressors of stress-ng (Debian's package), 5 by default
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

((EUID == 0)) || skip_all "started by an ordinary user"

# A view that is open to all, on a disk of its own, with its server's process in $server.
mount_open() {
    source=$workdir/source one=$workdir/one
    mkdir -p "$source" "$one"
    ok "mounted" scopefs mount --allow-other --source "$source" --rule write=/ "$one" || return
    server=$(server_of "$one")
}

# What every long run ends with.
is_clean() { # NAME
    local none="nodes=1 handles=0 lock_owners=0 lock_waiters=0"
    rm -rf "${one:?}"/*
    wait_for 'echo 2 >/proc/sys/vm/drop_caches; [[ $(counters "$one") == "$none "* ]]' 30
    like "$1: no node, handle or lock is left" "$(counters "$one")" "^$none "
    ok "$1: not more threads than workers and helpers" test "$(threads_of "$server")" -le 35
}
threads_of() { find "/proc/$1/task" -mindepth 1 -maxdepth 1 | wc -l; }

own_checks() {
    mount_open || return
    mkdir source/large
    results_of fsx "$one/file" source/file 100000
    results_of fsx "$one/file" source/file 100000 nomap
    results_of fsx "$one/file" source/file 50000 direct
    results_of listing "$one/large" 100000
    is_clean "fsx and listings"
}

foreign_fsx() {
    [[ ${FSX:-} ]] || return
    mount_open || return
    ok "fsx: 100,000 operations" "$FSX" -q -N 100000 -S 1 "$one/file"
    ok "fsx: 100,000 operations without mappings" "$FSX" -q -N 100000 -S 2 -R -W "$one/file"
    ok "fsx: past the cache" "$FSX" -q -N 20000 -S 3 -Z -R -W -r 4096 -w 4096 -t 4096 "$one/file"
    is_clean "fsx"
}

foreign_stress() {
    [[ ${FSSTRESS:-} ]] || return
    mount_open || return
    mkdir "$one/stress"
    ok "fsstress: four processes" "$FSSTRESS" -p 4 -n 20000 -s 1 -d "$one/stress"
    is "fsstress: the view shows what is there" \
        "$(cd "$one" && find . -printf '%p %y %s %m %l\n' | sort | sha256sum)" \
        "$(cd source && find . -printf '%p %y %s %m %l\n' | sort | sha256sum)"
    is_clean "fsstress"
}

# Without those that do nothing in a folder of their own.
stress() {
    local seconds=${STRESS_SECONDS:-5}
    command -v stress-ng >/dev/null || return
    mount_open || return
    chmod 0777 "$one"
    ok "stress-ng: the file system class" stress-ng --class filesystem --sequential 2 --verify \
        --timeout "$seconds" --temp-path "$one" --exclude bind-mount,binderfs,eventfd,procfs,ioprio,io-uring
    unlike "stress-ng: nothing was found wrong" "$output$errors" 'fail|error: '
    is_clean "stress-ng"
}

# The suite twice, whole and without the device nodes that its loops make beside all other kinds of file:
# in the first, what fails for want of a device hides what else may.
pjdfstest() {
    [[ ${PJDFSTEST:-} ]] || return
    mkdir suite native bound
    cp "$PJDFSTEST/pjdfstest" suite
    cp -r "$PJDFSTEST/tests" suite/whole
    cp -r suite/whole suite/without-devices
    find suite/without-devices -type f -exec sed -i 's/ block char / /' {} +
    mount_open || return
    local list
    for list in whole without-devices; do
        run_suite "$list" natively native
        run_suite "$list" "in a view" "$one"
        is "pjdfstest, $list: fails where the policy says so, and nowhere else" \
            "$(diff <(failures "suite/$list" <results) \
                <(sed 's/ *#.*//; /^$/d' "$SCOPEFS_SRCDIR/t/posix/pjdfstest-$list.list"))" ''
    done
    is_clean "pjdfstest"
    command -v bindfs >/dev/null && mkdir below && bindfs below bound && run_suite whole "in bindfs" bound
}

# Tells how many assertions hold. Those that the suite itself expects to fail are in neither number.
run_suite() { # LIST NAME FOLDER
    local start=$EPOCHREALTIME
    (cd "$3" && prove -rv "$workdir/suite/$1") >results 2>/dev/null
    diag "pjdfstest, $1, $2: $(grep '^ok [0-9]' results | grep -vc '# TODO') hold," \
        "$(grep '^not ok' results | grep -vc '# TODO') do not," \
        "$(((${EPOCHREALTIME/./} - ${start/./}) / 1000000)) seconds"
}

# One line for each file with failures: its name and their numbers, as ranges.
failures() { # FOLDER
    awk -v folder="$workdir/$1/" '
        function end_range() { if (last) numbers = numbers " " (first == last ? first : first "-" last); last = 0 }
        function tell() { end_range(); if (numbers) print name numbers; numbers = "" }
        /\.t \.\.+ ?$/ { tell(); name = $1; sub(folder, "", name); sub(/\.t$/, "", name) }
        /^not ok/ && !/# TODO/ { if (last && $3 == last + 1) last = $3; else { end_range(); first = last = $3 } }
        END { tell() }' | sort
}

test_run_body own_checks
test_run_body foreign_fsx
test_run_body foreign_stress
test_run_body stress
test_run_body pjdfstest
done_testing
