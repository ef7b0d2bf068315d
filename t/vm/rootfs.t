#!/bin/bash
# Commands on another root file system: Debian as debootstrap makes it, from the mirror that apt uses.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=../exec/common.sh
. "$SCOPEFS_SRCDIR/t/exec/common.sh"

((EUID == 0)) || skip_all "started by an ordinary user"
command -v debootstrap >/dev/null || skip_all "debootstrap is not installed"
new_workdir
release=trixie
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)
TEST_IMAGE=$workdir/image
export TEST_IMAGE
ok "debootstrap makes a root file system" debootstrap --variant=minbase --include=python3-minimal \
    "$release" "$TEST_IMAGE" "${mirror:-http://deb.debian.org/debian}"
echo secret >"$TEST_IMAGE/root/secret"
ln -s /usr/bin/python3 "$TEST_IMAGE/etc/link"

commands() {
    make_project
    printf '\n[exec %s]\nrootfs = %s\n' "$scope" "$TEST_IMAGE" >>"$config"
    like "the system is the image's" "$(in_sandbox cat /etc/os-release)" "VERSION_CODENAME=trixie"
    is "with its programs" "$(in_sandbox python3 -c 'print(open("readable").read().strip())')" readable
    is "by its links" "$(in_sandbox /etc/link -c 'print(1 + 1)')" 2
    is "with its package database" "$(in_sandbox dpkg-query -W -f '${db:Status-Status}' python3-minimal)" installed
    is "whose user has a name" "$(in_sandbox id -un)" agent
    is "and the host's is not there" "$(in_sandbox sh -c 'command -v git || echo none')" none
    fails "the image cannot be written" in_sandbox touch /usr/new /etc/new /var/lib/new
    fails "its root's home is not shown" in_sandbox ls /root
    run in_sandbox cat .env
    like "the rules hold in it" "$errors" "No such file"
    ok "the view can be written" sandbox_shell 'echo new >output/new'
    ok "temporary files too" sandbox_shell 'echo x >/tmp/x; echo x >/var/tmp/x; echo x >~/x'
}

for_each_user commands
done_testing
