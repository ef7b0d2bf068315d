#!/usr/bin/env bash
# What scopefs check warns of, and what it does not.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
new_workdir
cd "$workdir" || exit

check() { # RULES CEILINGS, one per line: sets $errors
    write_config <<END
[scope lint]
source = source
default = ${default:-none}
[rules lint]
$1
[ceiling lint]
${2:-}
END
    exits "warnings are no errors: ${1//$'\n'/; }" 0 scopefs check "$config"
}
never="never decides, because a later rule covers it all:"

mkdir -p source/src/deep source/docs
touch source/src/main.c source/src/deep/x.c source/docs/plan.md source/top.md

check $'read = /src/deep\nwrite = /src'
like "a rule below a later one" "$errors" ":5:8: warning: 'read = /src/deep' $never 'write = /src' \(.*:6\)"
check $'read = *.md\nnone = *.md'
like "the same pattern again" "$errors" ":5:8: .*'read = \*.md' $never 'none = \*.md'"
check $'read = /src/*.c\nview = *.c'
like "one at a place under one everywhere" "$errors" "'read = /src/\*.c' $never 'view = \*.c'"
check $'read = /docs/plan.md\nwrite = /**/plan.*'
like "through **" "$errors" "'read = /docs/plan.md' $never"
check $'view = *.c\nread = /src/*.c\nread = main.?\nwrite = /src/main.[ch]'
unlike "no rule is said to be covered that is not" "$errors" "$never"
check $'read = *.c\nwrite = /src/deep\nnone = /docs\nread = /docs/plan.md'
unlike "nor one that a later one covers in part" "$errors" "$never"
check $'read = /\nwrite = /src' 'read = /src'
like "a rule under a ceiling" "$errors" "'write = /src' never gives what it says, because a ceiling covers it all: 'ceiling read = /src'"
check $'write = /' $'read = /src'
unlike "one that a ceiling lowers in part is none" "$errors" "never gives"

check $'read = /scr/\nwrite = /docs/paln.md\nnone = /nothing-like-it/'
like "a pattern that matches nothing names what is near" "$errors" "'read = /scr/' matches nothing in the source now; did you mean '/src'\?"
like "at any depth" "$errors" "'write = /docs/paln.md' matches nothing .*'/docs/plan.md'\?"
like "or nothing" "$errors" "'none = /nothing-like-it/' matches nothing in the source now$"
check $'read = *.c\nread = /docs/**\nread = {top,bottom}.md'
unlike "what matches is not told" "$errors" "matches nothing"

touch source/.env source/src/server.key
check $'read = /'
like "a secret that can be read" "$errors" "/.env looks like a secret, and can be read in scope lint by 'read = /' \(.*:5\)"
like "also below" "$errors" "/src/server.key looks like a secret"
check $'read = /\nview = .env\nnone = *.key'
unlike "one that cannot is not told" "$errors" "secret"
rm source/.env source/src/server.key

ln source/top.md source/docs/same.md
ln source/src/main.c source/src/same.c
check $'none = /docs\nread = /src\nread = /top.md'
like "two names of one file" "$errors" "/docs/same.md and /top.md are one file, with the levels none and read"
unlike "with one level they are no matter" "$errors" "main.c"
rm source/docs/same.md source/src/same.c

perl -MSocket -e 'socket(my $s, PF_UNIX, SOCK_STREAM, 0); bind($s, pack_sockaddr_un("source/docker.sock")) or die $!'
check $'read = /'
like "a socket" "$errors" "/docker.sock is a socket that can be reached in scope lint"
check $'read = /\nnone = *.sock'
unlike "that is hidden is not told" "$errors" "socket"

config=$workdir/source/scopefs.ini
printf '[scope own]\nsource = .\ndefault = write\n' >"$config"
ok "a configuration in its source" scopefs check "$config"
is "is no matter, because it cannot be written there" "$errors" "$config:1:2: warning: /docker.sock is a socket that can be reached in scope own, and with it whatever listens there; hide it by the ceiling: none = /docker.sock"
done_testing
