#!/usr/bin/env bash
# Shows a project as an agent sees it, as a terminal session: each command is printed and really run,
# and what it gives is compared with what the rules promise. Exits 1 when a promise is broken.
# scopefs and scopefs-exec are taken from PATH. Leaves nothing behind, also when interrupted.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d "${TMPDIR:-/tmp}/scopefs-demo.$$.XXXXXX") || exit 1
export LC_ALL=C GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
unset GIT_DIR GIT_WORK_TREE MAKEFLAGS
broken=0

clean_up() {
    cd /
    # A view that is still there: the demo was interrupted, or unmounting is what broke.
    if mountpoint -q "$folder/view"; then
        scopefs umount "$folder/view" || fusermount3 -u -z "$folder/view"
    fi
    rm -rf --one-file-system -- "$folder"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

bold='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
    bold=$'\e[1m' plain=$'\e[0m'
fi

heading() { printf '\n%s# %s%s\n' "$bold" "$*" "$plain"; }

# Prints and runs a command line; leaves $shown and $status.
step() { # WHO FOLDER COMMAND
    printf '%s%s $ %s%s\n' "$bold" "$1" "$3" "$plain"
    shown=$(cd "$2" && bash -c "$3" 2>&1 </dev/null)
    status=$?
    [[ -z $shown ]] || printf '%s\n' "$shown"
}

host() { step host "$folder" "$1"; }
agent() { step agent "$folder/view" "$1"; }

break_promise() {
    printf 'BROKEN PROMISE: %s\n' "$*"
    broken=1
}

succeeds() { ((status == 0)) || break_promise "this should have succeeded"; }
refused() { ((status != 0)) || break_promise "this should have been refused"; }
shows() { [[ $shown == *"$1"* ]] || break_promise "this should show: $1"; }
is_shown() { [[ $shown == "$1" ]] || break_promise "this should show exactly: $1"; }
hides() { [[ $shown != *"$1"* ]] || break_promise "this should not show: $1"; }

show_view() {
    heading "A project with a secret or two, and an agent that shall work in it"
    host 'ls -A shop'
    shows .env
    host 'scopefs check scopefs.ini'
    succeeds
    host 'scopefs mount agent'
    succeeds
    if ! mountpoint -q "$folder/view"; then
        break_promise "the view should be mounted"
        exit 1
    fi

    heading "The agent's view: secrets do not exist, contracts are listed but closed"
    agent 'ls -la'
    succeeds
    shows contracts
    hides .env
    hides secrets
    agent 'head -n 3 src/basket.c'
    succeeds
    shows basket.h
    agent 'ls contracts; cat contracts/margins.txt'
    refused
    shows margins.txt
    shows 'Permission denied'
    hides percent
    agent 'cat .env'
    refused
    shows 'No such file'

    heading "Tools work unchanged"
    agent 'git status --short --branch'
    succeeds
    is_shown '## main'
    agent 'grep -rn "total" src'
    succeeds
    shows basket.h
    agent 'grep -rs "do-not-leak" .'
    refused
    is_shown ''

    heading "Writing: where a rule allows it, and nowhere else"
    agent 'echo "/* checked */" >> src/basket.c'
    succeeds
    agent 'echo "changed" >> README.md'
    refused
    shows 'Permission denied'
    agent 'echo "x" > .env'
    refused
    agent 'make && output/shop 250 2 100 1'
    succeeds
    shows 'total 600'
}

show_later_secret() {
    heading "Rules cover what does not exist yet: the owner makes a secret now"
    host 'echo "TOKEN=do-not-leak" > shop/src/.env && ls -A shop/src'
    succeeds
    shows .env
    agent 'ls -A src; cat src/.env'
    refused
    hides TOKEN
    shows "cat: src/.env: No such file"
    host 'git -C shop diff --stat'
    shows src/basket.c
}

show_explain() {
    heading "Why? The answer comes from the function that also enforces"
    host 'scopefs explain agent src/main.c contracts/acme.txt src/.env'
    succeeds
    shows write
    shows view
    shows none
    host 'scopefs umount agent'
    succeeds
    ! mountpoint -q "$folder/view" || break_promise "the view should be gone"
}

show_exec() {
    heading "The same view as the only thing a command gets: its own namespaces, no network"
    host 'scopefs exec agent -- pwd'
    if ((status == 125)) && [[ ${CI:-} != true ]]; then
        echo "This host cannot isolate commands; scopefs-exec says why and never falls back to less."
        return
    fi
    is_shown /workspace
    host 'scopefs exec agent -- ls -A . src'
    succeeds
    hides .env
    shows basket.c
    host 'scopefs exec agent -- cat contracts/margins.txt'
    refused
    hides percent
    host 'scopefs exec agent -- sh -c "touch src/basket.c && make && output/shop 250 3"'
    succeeds
    shows 'total 750'
    host 'scopefs exec agent -- sh -c "exit 7"; echo "exit status $?"'
    is_shown 'exit status 7'
}

"$here/make-project.sh" "$folder/shop" || exit 1
cp "$here/scopefs.ini" "$folder/scopefs.ini"

show_view
show_later_secret
show_explain
show_exec

heading "The view is unmounted, and nothing stays behind"
if ((broken)); then
    echo "Something did not behave as promised; see BROKEN PROMISE above."
    exit 1
fi
