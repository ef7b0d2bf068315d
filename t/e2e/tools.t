#!/usr/bin/env bash
# Everyday tools work in a writable view of a real repository, and leave the source in the state that
# they leave a plain directory in: every tool runs once in the view and once natively.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=../trees.sh
. "${0%/*}/../trees.sh"

# What git holds, whatever the times in it: the index and every reference.
git_snapshot() { # DIR
    git -C "$1" ls-files -s
    git -C "$1" status --porcelain=v2 --branch | grep -v '^# branch.oid'
    git -C "$1" log --all --format='%s %T %D'
    git -C "$1" worktree list --porcelain | sed "s|$(cd "$1" && pwd -P)|HERE|; /^HEAD /d"
}

git_work() {
    git status --porcelain &&
        echo "int more(void);" >>lib/part_1.c &&
        git diff --stat &&
        git add lib && git commit -qm second &&
        git checkout -qb topic && git mv lib/part_2.c lib/moved.c && git commit -qm third &&
        git rebase -q HEAD~1 --onto main~1 &&
        git checkout -q main && git merge -q --no-edit topic &&
        git stash list && echo change >>Makefile && git stash -q && git stash pop -q &&
        git checkout -q Makefile && git gc -q && git clone -q . clone &&
        git -C clone status --porcelain && git grep -q part_3
}

git_trees() {
    git worktree add -q -b other tree && cd tree && echo text >file && git add file &&
        git commit -qm "in a worktree" && cd .. && git worktree list && git fsck --full
}

copies() {
    tar -cf archive.tar lib data && mkdir unpacked && tar -xpf archive.tar -C unpacked &&
        cp -a data copied && cp -a --reflink=never lib/. copied/lib && rm archive.tar &&
        mkdir -p deep/a/b/c && cp -a /etc/passwd deep/a/b/c/ && mv deep shallow &&
        find copied -type f -newer Makefile | wc -l && rm -r shallow/a/b &&
        ln copied/blob copied/hard && sed -i s/return/return\ / copied/lib/part_3.c &&
        chmod -R go-w copied && diff -r --no-dereference data unpacked/data
}

builds() { make -s -j2 check; }
cleans() { make -s clean; }

database() {
    sqlite3 shop.db 'create table item (name text, price integer);
        begin; insert into item select hex(value * 7919), value from generate_series(1, 2000); commit;
        update item set price = price * 2 where price % 3 = 0;
        delete from item where price % 5 = 0; vacuum;' &&
        [[ $(sqlite3 shop.db 'pragma integrity_check; select count(*) from item;') == $'ok\n1600' ]]
}

write_ahead_log() {
    sqlite3 log.db 'pragma journal_mode = wal; create table entry (n integer primary key);' &&
        for ((writer = 0; writer < 3; writer++)); do
            for ((n = 0; n < 20; n++)); do
                echo "insert into entry values ($((writer * 1000 + n)));"
            done | sqlite3 -cmd '.timeout 20000' log.db &
        done && wait &&
        [[ $(sqlite3 log.db 'pragma integrity_check; select count(*) from entry;') == $'ok\n60' ]]
    local result=$?
    rm -f log.db log.db-wal log.db-shm
    return "$result"
}

tools_work() {
    # Both copies commit at the same moment.
    export GIT_AUTHOR_DATE="2026-01-01T00:00:00Z" GIT_COMMITTER_DATE="2026-01-01T00:00:00Z"
    make_repository source
    write_config <<'END'
[scope whole]
source  = source
default = write
END
    mount_view whole || return
    same_as_natively builds "make of a C project"
    same_as_natively cleans "make clean"
    same_as_natively git_work "git commit, rebase, merge, stash, gc, clone"
    is "git: the same index, references and state" \
        "$(diff <(git_snapshot native) <(git_snapshot source))" ''
    ok "git: fsck of the source finds nothing" git -C source fsck --full --strict
    same_as_natively git_trees "git worktree"
    ok "git: fsck after the worktree finds nothing" git -C source fsck --full --strict
    same_as_natively copies "tar, cp -a, mv, ln, sed -i"
    same_as_natively database "sqlite3 with a rollback journal"
    same_as_natively write_ahead_log "sqlite3 with a write-ahead log and three writers"
    ok "git clone of the source into the view" git clone -q source "$view/incoming"
    ok "git clone out of the view" git clone -q "$view" outgoing
    ok "and both are whole" sh -c 'git -C source/incoming fsck && git -C outgoing fsck'
    unmount_view
}

for_each_user tools_work
done_testing
