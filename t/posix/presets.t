#!/usr/bin/env bash
# What a rule forbids fails in every tool with the errno that it knows how to handle, and only that: the
# shipped presets, and moves across the borders of rules.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=../trees.sh
. "${0%/*}/../trees.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

# A project as people have them: with secrets, of which one was committed by mistake.
make_project() {
    make_repository source
    (
        cd source || exit
        mkdir -p secrets output tmp src/private
        echo TOKEN=1 >.env
        echo TOKEN= >.env.example
        echo password >secrets/password
        echo key >src/server.key
        echo private >src/private/file
        echo public >src/public
        printf '%s\n' secrets/ .env output/ tmp/ '*.db' >>.gitignore
        git add -A && git commit -qm second
        sqlite3 shop.db 'create table item (name); insert into item values (1)'
    )
}

# A sum over everything outside the output folder, with times.
state_of() { # DIR
    tar -C "$1" -cf - --sort=name --exclude=./output . | sha256sum
}

# What tells of changes by way of the view.
watch_file='
    coproc watch { exec inotifywait -m --format "%e %f" . 2>&1; }
    pid=$watch_PID in=${watch[0]}
    while read -r -u "$in" line && [[ $line != Watches* ]]; do :; done
    echo text >seen
    while read -r -t 10 -u "$in" line && [[ $line != "CLOSE_WRITE,CLOSE seen" ]]; do :; done
    kill "$pid"
    rm seen
    [[ $line == "CLOSE_WRITE,CLOSE seen" ]]'
vim_edit='vim=$(command -v vim.tiny || command -v vim)
    edit() { "$vim" -Nu NONE -i NONE -es -V1 "+set backup backupskip= fsync backupcopy=$1" "+normal Gochanged" "+wq!" "$2"; }'
export TEST_WATCH_FILE=$watch_file TEST_VIM_EDIT=$vim_edit

agent_safe() {
    make_project
    mount_preset agent-safe || return
    local before
    before=$(state_of source)

    works "git: log, diff, grep, blame, show, ls-files" 'git log --oneline | cat && git diff HEAD~1 --stat &&
        git grep -q part_3 && git blame lib/part_1.c && git show HEAD:Makefile && git ls-files | cat'
    is "git status takes a hidden file for a deleted one, and nothing else" \
        "$(git -C "$view" status --porcelain)" " D src/server.key"
    tries "git commit" 128 'index.lock.*Permission denied' 'git commit -qam x'
    tries "git checkout" 128 'index.lock.*Permission denied' 'git checkout -q HEAD~1'
    tries "git branch" 128 'Permission denied' 'git branch other'
    tries "git gc" 128 'Permission denied' 'git gc -q'
    tries "git clone into the output folder, because .git is never writable" 1 \
        'output/clone/.git: Permission denied' 'git clone -q . output/clone'
    works "git fsck" 'git fsck'

    tries "make in a tree that may only be read" 2 'Permission denied' 'make -s all'
    works "make out of that tree" 'mkdir output/build &&
        cp -r --no-preserve=mode lib tools Makefile output/build &&
        make -s -C output/build -j2 check'
    tries "sed -i" 4 "couldn't open temporary file.*Permission denied" 'sed -i s/a/b/ Makefile'
    tries "rm" 1 "cannot remove 'Makefile': Permission denied" 'rm -f Makefile'
    tries "mv into the output folder" 1 "cannot move 'Makefile' to 'output/Makefile': Permission denied" \
        'mv Makefile output/'
    tries "touch" 1 'Permission denied' 'touch new'
    tries "appending" 1 'Makefile: Permission denied' 'echo x >>Makefile'
    tries "chmod" 1 "changing permissions of 'Makefile': Operation not permitted" 'chmod 0600 Makefile'
    tries "ln of a file that may only be read" 1 'Permission denied' 'ln Makefile output/hard'
    works "tar of all that is seen" 'tar -cf output/all.tar --exclude=./output . && ! tar -tf output/all.tar |
        grep -E "(^|/)(\.env|secrets|server\.key)(/|$)" && tar -tf output/all.tar | grep -x ./.env.example >&2'
    # Folders that may only be read are shown without the bits to write, which -a would copy.
    works "rsync of all that is seen, twice" '
        rsync -a --chmod=u+w --exclude={/output,.git,.env.example} . output/copy &&
        rsync -a --chmod=u+w --exclude={/output,.git,.env.example} -i . output/copy >output/again &&
        { cat output/again >&2; test ! -s output/again; } && test ! -e output/copy/.env'
    tries "rsync of a file whose temporary name is hidden" 23 \
        'mkstemp ".*/output/copy/\.env\.example\.[^"]*" failed: Permission denied' \
        'rsync -t .env.example output/copy/'
    works "which works in place" 'rsync -t --inplace .env.example output/copy/'
    works "cp -a of all that is seen" 'mkdir output/cp && cp -a lib data src .env.example output/cp &&
        test ! -e output/cp/src/server.key'
    works "grep -r finds no secret and complains of nothing" \
        'test -z "$(grep -rs --exclude-dir=output -e TOKEN=1 -e password . 2>&1)"'
    works "find complains of nothing" 'find . >/dev/null'
    works "sqlite3 reads a database" 'test "$(sqlite3 shop.db "select count(*) from item")" = 1'
    tries "sqlite3 writes it" '[18]' 'readonly database' 'sqlite3 shop.db "insert into item values (2)"'
    works "a database in the output folder" 'sqlite3 output/own.db "create table t (x);
        insert into t values (1)"; sqlite3 output/own.db "pragma integrity_check" | grep -qx ok'
    tries "vim" 1 'E(212|505|166).*|Cannot open|is read-only' "$TEST_VIM_EDIT"'; edit auto Makefile'
    works "vim in the output folder" "$TEST_VIM_EDIT"'; cd output; for way in yes no auto; do
        echo text >$way && edit $way $way && grep -qx changed $way; done'
    works "inotifywait in the output folder" "cd output; $TEST_WATCH_FILE"
    works "logs, editors and temporary files in the output folder" 'cd output && script -qac "echo x" log \
        >/dev/null && echo a >file && sed -i s/a/b/ file && mv file other && TMPDIR=$PWD mktemp'
    is "the project is as it was" "$(state_of source)" "$before"
    ok "and whole" git -C source fsck
    unmount_view
}

development() {
    make_project
    mount_preset development || return
    is "git status takes a hidden file for a deleted one" "$(git -C "$view" status --porcelain)" \
        " D src/server.key"
    works "git: commit of what was added, branch, merge" 'git checkout -qb topic && echo "#" >>Makefile &&
        git add Makefile && git commit -qm topic && git checkout -q main && echo "//" >>lib/part_1.c &&
        git add lib && git commit -qm main && git merge -q topic && git gc -q && git fsck'
    tries "git checkout of a hidden file" 255 'unable to create file src/server.key: Permission denied' \
        'git checkout src/server.key'
    tries "git rebase, because the hidden file counts as a change" 1 \
        'cannot rebase: You have unstaged changes' 'git rebase topic'
    works "git told that the file need not be there" 'git update-index --skip-worktree src/server.key'
    is "has nothing to tell of it" "$(git -C "$view" status --porcelain)" ""
    works "and does all the rest" 'echo "#" >>Makefile && git commit -qam main && git rebase -q topic &&
        echo "#" >>Makefile && git stash -q && git stash pop -q && git checkout -q Makefile &&
        git worktree add -q --no-checkout output/tree topic && git clone -q --no-checkout . output/clone &&
        git gc -q && git fsck'
    is "git keeps the hidden file" "$(git -C source ls-tree --name-only HEAD src/)" \
        "$(printf '%s\n' src/private src/public src/server.key)"
    tries "writing over a hidden file" 1 'Permission denied' 'echo x >.env'
    tries "a new file with a hidden name" 1 'Permission denied' 'echo x >new.pem'
    tries "mv to a hidden name" 1 'Permission denied' 'mv Makefile credentials.txt'
    tries "rm of a hidden file" 1 "'.env': No such file" 'rm .env'
    tries "tar -x of a hidden file" 2 'key: Cannot open: Permission denied' \
        'tar -C ../.. -cf all.tar source/src && tar -xf all.tar'
    works "but of all the others" 'test -f source/src/public && test ! -e source/src/server.key'
    tries "cp -a of what has hidden parts" 0 '^$' 'cp -a src copied'
    is "copies what is seen" "$(cd source/copied && find . | sort)" \
        "$(printf '%s\n' . ./private ./private/file ./public)"
    works "tar and rsync of all that is seen, twice" 'tar -cf all.tar --exclude=./.git --exclude=./all.tar . && tar -df all.tar &&
        mkdir copy && rsync -a --exclude={/.git,/copy,/all.tar,.env.example} . copy &&
        rsync -a --exclude={/.git,/copy,/all.tar,.env.example} -i . copy >../../again && test ! -s ../../again'
    is "with no secret in it" "$(tar -tf source/all.tar | grep -E '(^|/)(\.env|secrets|server\.key)(/|$)')" ''
    tries "rsync of a file whose temporary name is hidden" 23 \
        'mkstemp ".*/copy/\.env\.example\.[^"]*" failed: Permission denied' 'rsync -t .env.example copy/'
    tries "sed -i of a hidden file" 2 "can't read .env: No such file" 'sed -i s/1/2/ .env'
    works "find, sed -i, editors and logs, in place" 'find . -name .git -prune -o -name public -print | grep -q . &&
        sed -i s/public/changed/ src/public && perl -pi -e s/changed/public/ src/public &&
        script -qac "echo x" log >/dev/null && script -qac "echo y" log >/dev/null && grep -q x log'
    works "vim, in place" "$TEST_VIM_EDIT"'; for way in yes no auto; do edit $way src/public; done
        test "$(grep -cx changed src/public)" = 3 && test -e src/public~'
    works "inotifywait" "$TEST_WATCH_FILE"
    tries "rm -r of a folder with a hidden file" 1 "cannot remove 'src': Directory not empty" 'rm -r src'
    is "which keeps that" "$(cd source/src && find . -type f)" ./server.key
    works "make, in place" 'make -s -j2 check && make -s clean'
    works "sqlite3, in place" 'sqlite3 shop.db "insert into item values (2)"'
    works "a folder may be moved wherever secrets keep their names" 'mkdir sub && touch sub/x && mv sub moved'
    ok "the repository is whole" git -C source fsck
    unmount_view
}

# A folder whose rules would change with its name moves as between two file systems.
across_borders() {
    mkdir -p source/{src/private,open,closed}
    echo hidden >source/src/private/file
    echo one >source/src/one
    echo two >source/open/two
    echo listed >source/closed/listed
    write_config <<'END'
[scope borders]
source  = source
default = write
[rules borders]
none = /src/private
view = /closed
END
    mount_view borders || return
    tries "mv of a folder with something hidden" 1 "cannot remove 'src'.*Directory not empty" 'mv src moved'
    is "copies what is seen" "$(cd source/moved && find . -type f)" ./one
    is "and leaves the hidden where it is" "$(cd source/src && find . -type f)" ./private/file
    tries "mv of a folder with what is only listed" 1 'Permission denied' 'mv closed elsewhere'
    is "leaves it" "$(cat source/closed/listed)" listed
    works "mv of a folder without anything of the kind is a rename" \
        'number=$(stat -c %i open) && mv open renamed && test "$(stat -c %i renamed)" = "$number"'
    works "mv of a file to where other rules hold is one" 'mv renamed/two src/two && test -f src/two'
    tries "cp of what is only listed" 1 "cannot open 'closed/listed' for reading: Permission denied" \
        'cp -r closed copied'
    tries "tar of what is only listed" 2 'closed/listed: Cannot open: Permission denied' \
        'tar -cf x.tar closed'
    tries "rsync of what is only listed" 23 'Permission denied' 'rsync -a closed/ synced/'
    tries "exchange with a folder of other rules" 1 'Invalid cross-device link' \
        'perl -e '"'"'my ($one, $other) = @ARGV; # renameat2(2), RENAME_EXCHANGE
            syscall(316, -100, $one, -100, $other, 2) == 0 or print STDERR "$!" and exit 1'"'"' src renamed'
    unmount_view
}

# A file without a name, where libfuse has it (3.17): no rule knows where it will be.
export TEST_NAMELESS='
import errno, os, subprocess, sys
def name_of(error):
    return "EOPNOTSUPP" if error.errno == errno.EOPNOTSUPP else errno.errorcode[error.errno]
def tell(what, function, *arguments):
    try:
        result = function(*arguments)
        print(what, "works")
        return result
    except OSError as error:
        print(what, name_of(error))
def make(folder):
    return os.open(folder, os.O_TMPFILE | os.O_RDWR)
def name(fd, path):
    # Without a descriptor before Python 3.14 the symlink itself would be linked.
    os.link(str(fd), path, src_dir_fd=descriptors, follow_symlinks=True)
descriptors = os.open("/proc/self/fd", os.O_RDONLY)
try:
    fd = make(".")
except OSError as error:
    sys.exit(name_of(error))
os.write(fd, b"text")
tell("a hidden name", name, fd, "hidden")
tell("a closed name", name, fd, "closed/new")
tell("a name that may be written", name, fd, "closed/open/new")
tell("where names may be written", make, "closed")
tell("where none may", make, "sealed")
with open("../../scopefs.ini", "a") as rules:
    rules.write("none = /closed/open/new\n")
subprocess.run(["scopefs", "reload", "-c", "../../scopefs.ini", "nameless"], check=True)
tell("read when its name was hidden", os.pread, fd, 4, 0)
tell("written then", os.pwrite, fd, b"x", 0)
'

nameless() {
    mkdir -p source/{closed/open,sealed}
    write_config <<'END'
[scope nameless]
source  = source
default = write
[rules nameless]
none  = /hidden
read  = /closed
write = /closed/open
read  = /sealed
END
    mount_view nameless || return
    run bash -c 'cd "$1" && exec python3 -c "$TEST_NAMELESS"' bash "$view"
    if [[ $errors == EOPNOTSUPP ]]; then
        is "libfuse is too old for files without a name" "$status" 1
    else
        is "a file without a name gets one that may be written, and its rules" "$output$errors" \
            "a hidden name EACCES
a closed name EACCES
a name that may be written works
where names may be written EOPNOTSUPP
where none may EACCES
read when its name was hidden ENOENT
written then ENOENT"
        is "it is there" "$(cat source/closed/open/new)" text
    fi
    unmount_view
}

for_each_user agent_safe
for_each_user development
for_each_user across_borders
for_each_user nameless
done_testing
