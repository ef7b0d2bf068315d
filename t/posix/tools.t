#!/usr/bin/env bash
# Tools that know file systems well find nothing amiss in a writable view: each runs once in the view
# and once natively, and leaves the same behind.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=../trees.sh
. "${0%/*}/../trees.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

# Everything that rsync can carry over.
rsync_twice() {
    mkdir r && cp -a lib data r && ln r/data/blob r/data/hard && ln r/data/blob r/other &&
        truncate -s 1M r/sparse && echo end >>r/sparse &&
        setfattr -n user.color -v blue r/data/blob &&
        touch -d '2001-02-03 04:05:06.789' r/lib/part_1.c && chmod 0640 r/lib/part_2.c &&
        mkfifo r/fifo && mkdir -m 0700 r/empty || return
    rsync -aHX --sparse r/ r.to && rsync -aHX --delete -i r/ r.to >again || return
    if [[ -s again ]]; then
        cat again
        return 1
    fi
    echo changed >>r/lib/part_3.c && rm r/data/dangling &&
        rsync -aHX --delete --checksum -i r/ r.to | grep -v '^\.d' >third
    [[ $(sed 's/.* //' third | sort) == $'data/dangling\nlib/part_3.c' ]] || return
    rm r/fifo r.to/fifo again third
    rsync -aHX --inplace --append-verify r/ r.to && diff -r --no-dereference r r.to &&
        [[ r.to/data/blob -ef r.to/data/hard && r.to/data/blob -ef r.to/other ]] &&
        [[ $(getfattr --only-values -n user.color r.to/other) == blue ]]
}

copies_all() {
    mkdir -p c/deep/er && cp -a data c && ln c/data/blob c/hard &&
        setfattr -n user.a -v b c/hard && truncate -s 300K c/sparse &&
        touch -d '1980-01-01' c/hard || return
    cp -a c c.to && diff -r --no-dereference c c.to && [[ c.to/hard -ef c.to/data/blob ]] &&
        [[ $(getfattr --only-values -n user.a c.to/hard) == b ]] &&
        [[ $(stat -c %Y c.to/hard) == "$(stat -c %Y c/hard)" ]] &&
        cp -r --reflink=auto --sparse=always c/sparse c.to/sparser &&
        cp --backup=numbered Makefile c.to/hard && [[ -e c.to/hard.~1~ ]] || return
    tar --xattrs --sparse -cf all.tar c && mkdir c.out && tar --xattrs -xpf all.tar -C c.out &&
        diff -r --no-dereference c c.out/c && tar -df all.tar &&
        tar -rf all.tar lib &&
        [[ $(tar -tf all.tar | grep -c ^lib/part) == 40 ]] && rm all.tar
}

finds() {
    mkdir -p many/{a,b,c}/{1,2,3} && touch many/{a,b,c}/{1,2,3}/{x,y,z} &&
        [[ $(find many -type f | wc -l) == 27 ]] && [[ $(find many -type d -links 5 | wc -l) == 4 ]] &&
        find many -name y -delete && find many -name x -exec mv {} {}.moved \; &&
        find many -type f -newer Makefile -print0 | xargs -0 -n 2 -P 4 chmod 0600 &&
        [[ $(find many -perm 0600 | wc -l) == 18 ]] && find many -path '*/c/*' -type f -delete &&
        find many -type d -empty -delete && [[ $(find many | wc -l) == 21 ]] &&
        [[ $(find . -xdev -samefile many/a/1/z) == ./many/a/1/z ]]
}

# The ways of editors to save a file.
saves_in_place() { printf '%s\n' "$2" >"$1"; }
saves_by_rename() { # as emacs does by default: the old file becomes the backup
    ln -s "user@host.1234:5" ".#$1" && mv "$1" "$1~" && printf '%s\n' "$2" >"$1" &&
        chmod --reference="$1~" "$1" && touch -r "$1" "$1" && rm ".#$1"
}
saves_by_copy() { # as vim does with backupcopy=yes
    cp -p "$1" "$1~" && printf '%s\n' "$2" >"$1" && rm "$1~"
}
saves_by_new_file() { # as vim does with backupcopy=no, after a look whether it may create files
    touch 4913 && chmod --reference="$1" 4913 && rm 4913 && mv "$1" "$1~" &&
        printf '%s\n' "$2" >"$1" && chmod --reference="$1~" "$1" && sync "$1" && rm "$1~"
}
saves_atomically() { # as sed -i, perl -i and most others do
    printf '%s\n' "$2" >"$1.new" && chmod --reference="$1" "$1.new" && sync "$1.new" &&
        mv -f "$1.new" "$1" && sync .
}
editors_save() {
    local way number=0
    for way in in_place by_rename by_copy by_new_file atomically; do
        echo old >"file-$way" && chmod 0751 "file-$way" || return
        for number in 1 2 3 4 5; do
            "saves_$way" "file-$way" "text $number" &&
                [[ $(cat "file-$way") == "text $number" && $(stat -c %a "file-$way") == 751 ]] || return
        done
    done
    sed -i.backup s/5/6/ file-atomically && perl -pi -e s/6/7/ file-atomically &&
        [[ $(cat file-atomically file-atomically.backup) == $'text 7\ntext 5' ]]
}

# The editor itself, with each of its ways to keep a backup; a second name tells where the old text goes.
vim_saves() {
    local vim way file
    vim=$(command -v vim.tiny || command -v vim) || return
    for way in yes no auto auto,breakhardlink auto,breaksymlink; do
        file=vim-$way
        echo old >"$file" && chmod 0751 "$file" && ln "$file" "$file.link" && ln -s "$file" "$file.symlink" &&
            "$vim" -Nu NONE -i NONE -es "+set backup backupskip= fsync backupcopy=$way" '+%s/old/new/' +wq "$file" &&
            "$vim" -Nu NONE -i NONE -es "+set nobackup backupcopy=$way" '+%s/new/newer/' +wq "$file.symlink" &&
            [[ $(cat "$file.symlink") == newer && $(stat -c %a "$file") == 751 && -e $file~ ]] || return
    done
}

logs() {
    local writer
    for writer in 1 2 3 4; do
        for ((line = 0; line < 50; line++)); do echo "$writer $line" >>log; done &
    done
    wait && [[ $(sort -u log | wc -l) == 200 ]] && sort -o log log &&
        script -qac 'echo first' typescript >/dev/null && script -qac 'echo second' typescript >/dev/null &&
        grep -q first typescript && grep -q second typescript && rm typescript &&
        (tail -n 0 -F followed & tail=$! &&
            for ((line = 0; line < 100; line++)); do echo "$line" >>followed; done &&
            kill "$tail") >/dev/null 2>&1
    [[ $(wc -l <followed) == 100 ]]
}

mount_whole() {
    write_config <<'END'
[scope whole]
source  = source
default = write
END
    mount_view whole
}

tools_work() {
    make_repository source
    mount_whole || return
    same_as_natively rsync_twice "rsync -aHX"
    same_as_natively copies_all "cp -a and tar with links, holes and attributes"
    same_as_natively finds "find"
    same_as_natively editors_save "saving as editors do"
    same_as_natively vim_saves "saving as vim does"
    same_as_natively logs "logs and tail -F"
    unmount_view
}

# What inotify tells of changes that are made by way of the view.
watched() {
    mount_two || return
    mkdir "$one/watched"
    coproc watch { exec inotifywait -m --format '%e %f' "$one/watched" 2>&1; }
    local line events='' in=${watch[0]}
    # shellcheck disable=SC2154 # coproc sets it
    local watcher=$watch_PID
    while read -r -u "$in" line && [[ $line != Watches* ]]; do :; done
    echo text >"$one/watched/file"
    mv "$one/watched/file" "$one/watched/renamed"
    chmod 0600 "$one/watched/renamed"
    rm "$one/watched/renamed"
    touch source/watched/unseen "$other/watched/unseen"
    mkdir "$one/watched/end"
    while read -r -t 10 -u "$in" line; do
        events+="$line;"
        [[ $line == "CREATE,ISDIR end" ]] && break
    done
    kill "$watcher"
    local wanted='CREATE file;OPEN file;MODIFY file;CLOSE_WRITE,CLOSE file;MOVED_FROM file;'
    wanted+='MOVED_TO renamed;ATTRIB renamed;DELETE renamed;CREATE,ISDIR end;'
    is "inotify tells of changes through the view, and of no others" "$events" "$wanted"
}

# scopefs itself, out of its tree and by two jobs.
builds_itself() {
    local folder excluded=()
    mkdir -p source view
    for folder in "$SCOPEFS_SRCDIR"/*/config.status; do
        [[ -e $folder ]] || continue
        folder=${folder%/config.status}
        excluded+=(--exclude="./${folder##*/}")
    done
    (cd "$SCOPEFS_SRCDIR" && tar -cf - "${excluded[@]}" --exclude=.git .) | tar -xf - -C source
    # Built in its own folder, a tree cannot be built elsewhere.
    [[ ! -e source/config.status ]] || make --silent -C source distclean >/dev/null 2>&1
    ok "mounted" scopefs mount --source source --rule write=/ view
    ok "scopefs is configured in a view" bash -c 'mkdir view/build && cd view/build &&
        ../configure --silent CFLAGS=-O0'
    ok "and built by two jobs" make --silent -C view/build -j2 all
    ok "it runs" view/build/scopefs --help
    ok "cleaned up" make --silent -C view/build distclean
    unmount_view view
}

for_each_user tools_work
for_each_user watched
test_run_body builds_itself
done_testing
