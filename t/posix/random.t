#!/usr/bin/env bash
# Random work in a view leaves files as it should, and the server as it was before. SCOPEFS_TEST_SEED
# repeats a run, TEST_OPERATIONS makes it longer.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

one_file() {
    mount_two || return
    results_of fsx "$one/file" source/file "$TEST_OPERATIONS"
    results_of fsx "$one/file" source/file $((TEST_OPERATIONS / 3)) nomap
    results_of fsx "$one/file" source/file $((TEST_OPERATIONS / 3)) direct
}

# What the server has, once the kernel has let go of all that it need not keep.
settled() { # VIEW
    echo 2 >/proc/sys/vm/drop_caches
    counters "$1" | cut -d ' ' -f 1-4
}

# Makes, renames, links, truncates and removes at random in a few names, as others do at the same time.
churn() { # FOLDER NUMBER
    perl -e '
        use Fcntl qw(:DEFAULT :flock);
        srand($ARGV[1]);
        sub name { my $name = "$ARGV[0]/" . int(rand(3)); $name .= "/" . int(rand(12)) if rand() < 0.9; $name }
        for (1 .. $ARGV[2]) {
            my $do = int(rand(13));
            if ($do == 0) { mkdir name() }
            elsif ($do == 1) { rmdir name() }
            elsif ($do == 2) { unlink name() }
            elsif ($do == 3) { rename name(), name() }
            elsif ($do == 4) { link name(), name() }
            elsif ($do == 5) { symlink "target", name() }
            elsif ($do == 6) { truncate name(), int(rand(10000)) }
            elsif ($do == 7) { chmod 0700 | int(rand(64)), name() }
            elsif ($do == 8) { if (opendir my $folder, name()) { readdir $folder; rewinddir $folder; readdir $folder } }
            elsif ($do == 9) { if (open my $file, "<", name()) { flock $file, LOCK_SH | LOCK_NB; my $line = <$file> } }
            elsif ($do == 10) { stat name(); readlink name() }
            else { if (sysopen my $file, name(), O_RDWR | O_CREAT | (rand() < 0.3 ? O_TRUNC : 0)) {
                syswrite $file, "x" x int(rand(5000)); flock $file, LOCK_EX | LOCK_NB } }
        }' "$@"
}

nothing_is_left() {
    local none="nodes=1 handles=0 lock_owners=0 lock_waiters=0" server number jobs=()
    mount_two || return
    server=$(server_of "$one")
    for ((number = 0; number < 6; number++)); do
        churn "$one" "$number" "$TEST_OPERATIONS" &
        jobs+=($!)
    done
    churn source 7 "$TEST_OPERATIONS" &
    wait "${jobs[@]}" $!
    ok "random work in a view and on the host ends" test -d "$one"
    wait_for '[[ $(settled "$one") == "nodes=1 handles=0 "* ]]'
    is "and both show the same" "$(cd "$one" && find . -printf '%p %y %s %l %m\n' | sort)" \
        "$(cd source && find . -printf '%p %y %s %l %m\n' | sort)"
    rm -rf "${one:?}"/*
    wait_for '[[ $(settled "$one") == "$none" ]]'
    is "no node, handle or lock is left" "$(settled "$one")" "$none"
    local threads descriptors
    threads=$(find "/proc/$server/task" -mindepth 1 -maxdepth 1 | wc -l)
    descriptors=$(find "/proc/$server/fd" -mindepth 1 -maxdepth 1 | wc -l)
    ok "there are not more threads than workers and helpers ($threads)" test "$threads" -le 35
    # A pipe for each, and those that it started with.
    ok "nor descriptors than they need ($descriptors)" test "$descriptors" -le $((2 * threads + 10))
}

# Some of stress-ng's stressors, which look whether what they did is there; all of them are in long.t.
stressed() {
    local none="nodes=1 handles=0 lock_owners=0 lock_waiters=0"
    mount_two || return
    ok "stress-ng finds nothing wrong" stress-ng --verify --oomable --temp-path "$one" --timeout 3 \
        --chmod 1 --copy-file 1 --dentry 1 --dir 1 --fallocate 1 --filename 1 --flock 2 --hdd 1 \
        --hdd-opts wr-seq,rd-rnd,fsync --link 1 --lockf 2 --lockofd 2 --mmap 1 --mmap-file \
        --mmap-bytes 4M --rename 2 --seek 1 --seek-punch --symlink 1 --xattr 1
    unlike "nor says so" "$output$errors" '(^|[^a-z])(fail:|error:)'
    wait_for '[[ $(settled "$one") == "$none" ]]'
    is "and leaves no node, handle or lock" "$(settled "$one")" "$none"
}

export TEST_OPERATIONS=${TEST_OPERATIONS:-2500}
for_each_user one_file
if ((EUID == 0)); then
    test_run_body nothing_is_left
    test_run_body stressed
else
    skip "started by an ordinary user" "the server is as it was before"
fi
done_testing
