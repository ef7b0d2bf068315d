#!/usr/bin/env bash
# Every command that an example of the manual shows works: lines with a prompt, run in order.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"

commands_of() { # PAGE
    sed -n '/^\.Bd -literal/,/^\.Ed/p; s/^\.Dl //p' "$SCOPEFS_SRCDIR/man/$1" | sed -n 's/^\$ //p'
}

# Something for each example to work on.
make_place() {
    "$SCOPEFS_SRCDIR/examples/quickstart/make-project.sh" shop
    mkdir -p shop/web/venv/bin shop/config shop/lib
    echo 'export ACTIVE=yes' >shop/web/venv/bin/activate
    printf 'test:\n\ttest "$$ACTIVE" = yes\n' >shop/web/Makefile
    echo key >shop/config/server.key
    echo text >shop/lib/file
    git -C shop add -f config/server.key
    git -C shop commit -qm 'A key'
    write_config <<'INI'
[scope agent]
source = shop
preset = development
[exec agent]
env.HOME = /tmp
INI
}

try_page() { # PAGE, FOLDER: where its commands run
    local command
    while read -r command; do
        ok "$1: $command" env -C "$2" bash -c "$command"
    done < <(commands_of "$1")
}

try_manual() {
    local page
    make_place
    for page in "$SCOPEFS_SRCDIR"/man/*.[1-9]; do
        page=${page##*/}
        case $page in
        scopefs.1 | scopefs-exec.1) try_page "$page" "$PWD" ;;
        scopefs-posix.7)
            mount_view agent && try_page "$page" "$view"
            unlike "git takes no hidden file for deleted then" "$(git -C "$view" status --short)" 'config'
            unmount_view
            ;;
        *) is "$page shows no command that is not run here" "$(commands_of "$page")" '' ;;
        esac
    done
    ok "sessions end" scopefs-exec session close
}

new_workdir
cd "$workdir" || exit
try_manual
done_testing
