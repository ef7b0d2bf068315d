#!/usr/bin/env bash
# Scopes made from a template, their sources, and views that end by themselves.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"

is_mounted() { [[ $(test_mounts_below "$1" | tr '\0' '\n') == *"$1"* ]]; }

make_template() {
    write_config <<'END'
[scope crew-*]
source = agents/%n
mount  = m/%n
create = yes
default = read
[rules crew-*]
write = /%n.out
[scope crew-x*]
source = agents/x
mount  = m/%n
create = yes
default = write
[scope crew-own]
source = agents
mount  = m/own
default = read
END
}

makes_scopes_from_a_template() {
    make_template
    mkdir -p agents
    ok "a template is no error" scopefs check "$config"
    like "and no scope" "$output" "1 scope,"
    ok "a scope is made from it" scopefs up -c "$config" crew-1 crew-2
    ok "with a source of its own" test -d agents/crew-1 -a -d agents/crew-2
    is "that belongs to the user" "$(stat -c %U agents/crew-1)" "$(id -un)"
    ok "and its name in its rules" touch m/crew-1/crew-1.out
    fails "which are its own" touch m/crew-1/crew-2.out
    like "explain knows it" "$(scopefs explain -c "$config" crew-3 crew-3.out)" "write = /crew-3.out"
    ok "a longer template comes first" scopefs up -c "$config" crew-x1
    ok "and may write" touch m/crew-x1/file
    ok "a section of its own comes before both" scopefs up -c "$config" crew-own
    ok "and sees the others' sources" test -d m/own/crew-1
    sed -i "s,^mount  = m/%n,mount = m/same," "$config"
    exits "two scopes of a template on one mount point" 1 scopefs up -c "$config" crew-7 crew-8
    like "are refused" "$errors" "crew-8: .*/m/same is the mount point of scope crew-7, too"
    make_template
    exits "a name that no template fits" 1 scopefs up -c "$config" other
    like "lists the templates" "$errors" "there are: crew-\*, crew-x\*, crew-own"
    ok "its rules can be reloaded" scopefs reload crew-1
    exits "purge wants names" 2 scopefs down -c "$config" --purge
    ok "down --purge" scopefs down -c "$config" --purge crew-1
    ok "takes the source away" eval '! test -e agents/crew-1 && test -d agents/crew-2'
    exits "but not one that was not made so" 1 scopefs down -c "$config" --purge crew-own
    like "and says so" "$errors" "crew-own does not say 'create = yes'"
    ok "down without names" scopefs down -c "$config"
    ok "takes away what was made from templates, too" eval '! is_mounted "$workdir/m"'
}

purges_only_its_own() {
    make_template
    mkdir -p agents outside
    echo keep >outside/file
    scopefs up -c "$config" crew-2 >/dev/null
    ln -s "$workdir/outside" agents/crew-2/link
    mkdir -p agents/crew-2/deep/er
    touch agents/crew-2/deep/er/file
    (cd m/crew-2 && exec sleep 1000) &
    local user=$!
    wait_for "[[ \$(readlink /proc/$user/cwd) == */m/crew-2 ]]"
    exits "a scope in use is not purged" 1 scopefs down -c "$config" --purge crew-2
    ok "nothing of it" test -e agents/crew-2/deep/er/file
    kill "$user"
    wait "$user" 2>/dev/null
    ok "when it is free, it is" scopefs down -c "$config" --purge crew-2
    ok "whatever lay in it" test ! -e agents/crew-2
    is "but nothing behind a symlink" "$(cat outside/file)" keep
}

ends_by_itself() {
    mkdir -p source
    echo text >source/file
    write_config <<'END'
[scope brief]
source = source
mount = m/brief
default = read
expires = 300ms
[scope lazy]
source = source
mount = m/lazy
default = read
idle = 200ms
[scope busy]
source = source
mount = m/busy
default = read
idle = 3s
END
    ok "views that end by themselves" scopefs up -c "$config"
    exec 9<m/busy/file
    ok "one whose time is over is unmounted" wait_for '! is_mounted "$workdir/m/brief"'
    ok "one that nobody uses, too" wait_for '! is_mounted "$workdir/m/lazy"'
    ok "one with an open file stays" is_mounted "$workdir/m/busy"
    exec 9<&-
    ok "until that is closed" wait_for '! is_mounted "$workdir/m/busy"'
    exits "what is no time is refused" 1 scopefs check /dev/stdin < <(sed 's/300ms/soon/' "$config")
}

for_each_user makes_scopes_from_a_template
for_each_user purges_only_its_own
for_each_user ends_by_itself
done_testing
