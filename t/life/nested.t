#!/usr/bin/env bash
# Scopes in scopes: nothing below gets more than what is above allows, and siblings are apart.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"

stays_below_its_parent() {
    mkdir -p source/{one,two}/sub
    echo one >source/one/file
    echo two >source/two/file
    echo key >source/one/site.key
    echo sub >source/one/sub/file
    write_config <<'END'
[scope nest]
source = source
mount = m/nest
default = read
[rules nest]
write = /one/
none = /one/sub/
[ceiling nest]
view = *.key

[scope nest-one]
parent = nest
source = source/one
mount = m/one
default = write

[scope nest-two]
parent = nest
source = source/two
mount = m/two
default = write

[scope nest-deep]
parent = nest-one
source = source/one/sub
mount = m/deep
default = write
END
    ok "all are mounted" scopefs up -c "$config"
    is "a child sees its part" "$(cat m/one/file)" one
    ok "and may write what both allow" touch m/one/new
    fails "not what the parent only lets read" touch m/two/new
    is "but read it" "$(cat m/two/file)" two
    fails "the parent's ceiling holds below" cat m/one/site.key
    fails "what the parent hides is hidden" ls m/one/sub
    is "also in a grandchild" "$(ls m/deep)" ""
    ok "no path leads to it" eval '! test -e m/one/two && ! test -e "m/one/../one/two"'
    like "explain names the scope above" "$(scopefs explain -c "$config" nest-two new)" "nest"
    sed -i 's/^write = \/one\//read = \/one\//' "$config"
    scopefs reload nest-one
    fails "new rules of the parent hold in the child after its reload" touch m/one/newer
    ok "all go down" scopefs down -c "$config"
}

for_each_user stays_below_its_parent
done_testing
