#!/usr/bin/env bash
# Everyday tools work in a writable view of a real repository, and leave the source in the state that
# they leave a plain directory in: every tool runs once in the view and once natively.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"

# A C project with sub-folders, a generated source, a library and a test, and a history of its own.
make_repository() { # DIR
    mkdir -p "$1"/{lib,tools,data}
    (
        cd "$1" || exit
        local number
        for number in $(seq 1 40); do
            printf 'int part_%d(int x);\nint part_%d(int x)\n{\n    return x + %d;\n}\n' \
                "$number" "$number" "$number" >"lib/part_$number.c"
        done
        cat >tools/sum.c <<'END'
#include "parts.h"
#include <stdio.h>
int main(void)
{
    printf("%d\n", parts_sum());
    return 0;
}
END
        cat >Makefile <<'END'
parts := $(patsubst lib/%.c,%,$(wildcard lib/*.c))
all: sum
parts.h: Makefile
	{ for part in $(parts); do echo "int $$part(int);"; done; \
	  echo 'static int parts_sum(void) { int sum = 0;'; \
	  for part in $(parts); do echo "sum += $$part(0);"; done; \
	  echo 'return sum; }'; } > $@.new && mv $@.new $@
libparts.a: $(parts:%=lib/%.o)
	ar rcD $@ $^
sum: tools/sum.c parts.h libparts.a
	$(CC) -I. -o $@ tools/sum.c libparts.a
check: sum
	test "$$(./sum)" = 820
clean:
	rm -f sum libparts.a parts.h lib/*.o
END
        printf '%s\n' '*.o' '*.a' parts.h sum >.gitignore
        printf 'binary\0\377\n' >data/blob
        ln -s ../lib/part_1.c data/link
        ln -s nowhere data/dangling
        chmod +x data/blob
        : >"data/name with blanks"
        printf 'x\n' >"data/"$'new\nline'
        git init -q . && git add -A && git commit -qm first
    )
}

# Content, types, modes, link targets and sizes of a tree; times and inode numbers left out.
snapshot() { # DIR
    (
        cd "$1" || exit
        find . -name .git -prune -o -printf '%p %y %#m %n %l %u %g\n' | sort
        find . -name .git -prune -o -type f -print0 | sort -z | xargs -0 sha256sum
    )
}

# What git holds, whatever the times in it: the index and every reference.
git_snapshot() { # DIR
    git -C "$1" ls-files -s
    git -C "$1" status --porcelain=v2 --branch | grep -v '^# branch.oid'
    git -C "$1" log --all --format='%s %T %D'
    git -C "$1" worktree list --porcelain | sed "s|$(cd "$1" && pwd -P)|HERE|; /^HEAD /d"
}

# Runs FUNCTION in the view and in a plain copy of the same directory, and compares both.
same_as_natively() { # FUNCTION NAME
    local function=$1 name=$2
    rm -rf "$workdir/native"
    cp -a "$workdir/source" "$workdir/native"
    (cd "$workdir/native" && "$function") >"$workdir/native.out" 2>&1
    is "$name: works natively" $? 0 || diag "$(tail -n 20 "$workdir/native.out")"
    (cd "$view" && "$function") >"$workdir/view.out" 2>&1
    is "$name: works in the view" $? 0 || diag "$(tail -n 20 "$workdir/view.out")"
    is "$name: leaves the same tree" \
        "$(diff <(snapshot "$workdir/native") <(snapshot "$workdir/source") | head -n 20)" ''
    is "$name: the same contents" \
        "$(diff -r --no-dereference -x .git "$workdir/native" "$workdir/source" | head)" ''
    is "$name: the view shows what is there" \
        "$(diff <(snapshot "$view") <(snapshot "$workdir/source") | head -n 20)" ''
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
