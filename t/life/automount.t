#!/usr/bin/env bash
# Scopes that are mounted when somebody uses them, by autofs, and the lines that systemd would read.
[[ $EUID != 0 || ${SCOPEFS_OWN_WORLD:-} ]] ||
    SCOPEFS_OWN_WORLD=yes exec unshare --mount --propagation private bash "$0"
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
enter_own_world
new_workdir
cd "$workdir" || exit

mkdir source
echo text >source/file
write_config <<'END'
[scope auto-one]
source = source
mount = places/one two
default = read
automount = yes
[scope auto-not]
source = source
default = read
[scope crew-*]
source = crew/%n
default = write
create = yes
automount = yes
idle = 300ms
END

ok "the line for a map of autofs" scopefs automount -c "$config" auto-one
is "names type, configuration and scope" "$output" "-fstype=fuse.scopefs,config=$config :auto-one"
ok "also of a scope that is made from a template" scopefs automount -c "$config" crew-7
exits "a scope that does not want it" 1 scopefs automount -c "$config" auto-not
like "is refused" "$errors" "auto-not does not say 'automount = yes'"
is "the lines of fstab are of those that do" "$(scopefs automount -c "$config")" \
    "auto-one $workdir/places/one\\040two fuse.scopefs noauto,x-systemd.automount,config=$config 0 0"
is "findmnt reads them" "$(scopefs automount -c "$config" >table && findmnt --tab-file table -no SOURCE,TARGET)" \
    "auto-one $workdir/places/one two"
cp "$config" "with, comma.ini"
exits "a name that no mount option can hold is refused" 1 scopefs automount -c "with, comma.ini"

is_mounted() { [[ $(test_mounts_below "$1" | tr '\0' '\n') == *"$1"* ]]; }
is_view() { grep -q " $1 fuse.scopefs " /proc/self/mounts; }

if ((EUID != 0)); then
    skip "started by an ordinary user" "autofs"
    done_testing
fi
grep -qw autofs /proc/filesystems || {
    skip "this kernel has no autofs" "autofs"
    done_testing
}
# mount(8) looks there for the helper of a type.
mkdir programs
printf '#!/bin/sh\nSCOPEFS=%s exec %s "$@"\n' "$SCOPEFS_BUILDDIR/scopefs" "$SCOPEFS_BUILDDIR/system/mount.fuse.scopefs" >programs/mount.fuse.scopefs
printf '#!/bin/sh\nSCOPEFS=%s SCOPEFS_CONFIG=%s exec %s "$@"\n' "$SCOPEFS_BUILDDIR/scopefs" "$config" "$SCOPEFS_BUILDDIR/system/auto.scopefs" >programs/map
chmod a+x programs/*
mount -t overlay -o "lowerdir=$workdir/programs:/usr/sbin" programs /usr/sbin
printf '%s/agents program:%s/programs/map --timeout=600\n' "$workdir" "$workdir" >master
mkdir agents
# The kernel leaves processes of the daemon's group alone, so it has one of its own.
setsid automount --foreground --dont-check-daemon --pid-file "$workdir/pid" "$workdir/master" 2>daemon &
daemon=$!
wait_for 'grep -q " $workdir/agents autofs " /proc/self/mounts'
is "autofs mounts a scope when it is used" "$(cat agents/auto-one/file)" text
fails "not one that does not want it" ls agents/auto-not
fails "nor one that is not there" ls agents/nothing
ok "a use makes a scope from a template" touch agents/crew-1/made
ok "with its source" test -e crew/crew-1/made
ok "when nobody uses it, it goes" wait_for '! is_view "$workdir/agents/crew-1"'
ok "and comes back by the next use" test -e agents/crew-1/made
ok "as a view" is_view "$workdir/agents/crew-1"
kill "$daemon"
wait "$daemon"
ok "autofs takes all away at its end" eval '! is_mounted "$workdir/agents"' || cat daemon >&2
umount /usr/sbin
done_testing
