#!/usr/bin/env bash
# What is recorded by syslog and in the journal, which are played by sockets in a world of our own.
[[ $EUID != 0 || ${SCOPEFS_OWN_WORLD:-} ]] ||
    SCOPEFS_OWN_WORLD=yes exec unshare --mount --propagation private bash "$0"
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
((EUID == 0)) || skip_all "started by an ordinary user"

# /dev and /run that are seen in here alone.
make_world() {
    enter_own_world
    local device
    mkdir "$test_folder/dev"
    mount -t tmpfs world "$test_folder/dev"
    for device in null zero full random urandom tty fuse; do
        touch "$test_folder/dev/$device"
        mount --bind "/dev/$device" "$test_folder/dev/$device"
    done
    ln -s /proc/self/fd "$test_folder/dev/fd"
    mkdir "$test_folder/dev/shm"
    mount --move "$test_folder/dev" /dev
    mkdir -p /run/systemd/journal
    chmod 0755 /dev
    chmod 1777 /dev/shm
}

# Writes each datagram as a line of hexadecimal digits; `exec`, so that it ends with its socket.
listen() { # SOCKET FILE
    perl -MSocket -e '
        $| = 1;
        umask 0;
        socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die;
        unlink $ARGV[0];
        bind($s, pack_sockaddr_un($ARGV[0])) or die "$ARGV[0]: $!";
        while (defined recv($s, my $text, 65536, 0)) { print unpack("H*", $text), "\n" }' "$1" >>"$2" &
    listener=$!
    wait_for "[[ -S $1 ]]"
}

texts() { # FILE: the datagrams with their control characters shown
    perl -ne 'chomp; $_ = pack("H*", $_); s/([^\x20-\x7e])/sprintf("<%02x>", ord $1)/ge; print "$_\n"' "$1"
}

make_scope() { # TARGETS
    mkdir -p source m
    echo text >source/seen
    write_config <<END
[scope told]
source = source
mount = m
default = none
log-to = $1
[rules told]
view = /seen
END
    rm -f "$(scopefs_runtime)"/.told.audit*
}

scopefs_runtime() { if ((EUID == 0)); then echo /run/scopefs; else echo "$XDG_RUNTIME_DIR/scopefs"; fi; }

tells_syslog() {
    make_scope syslog
    ok "a view that records to syslog" scopefs up -c "$config"
    cat m/seen 2>/dev/null
    wait_for 'grep -q . "$TEST_TOLD/syslog"'
    like "a refusal is a line of JSON there, as syslog(3) sends it" "$(texts "$TEST_TOLD/syslog")" \
        '^<85>[A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]{8} scopefs\[[0-9]+\]: .*"scope":"told","operation":"open","path":"/seen","wanted":"read","level":"view".*"errno":"EACCES".*}$'
    ok "it goes down" scopefs down -c "$config"
    exits "and no file was written" 1 scopefs log told
    like "which log says" "$errors" "log-to"
    : >"$TEST_TOLD/syslog"
}

tells_the_journal() {
    make_scope "file journal"
    ok "a view that records to a file and to the journal" scopefs up -c "$config"
    cat m/seen 2>/dev/null
    cat m/$'odd\nname' 2>/dev/null
    wait_for '[[ $(wc -l <"$TEST_TOLD/journal") == 2 ]]'
    local told
    told=$(texts "$TEST_TOLD/journal")
    like "a refusal is fields, with a message for people" "$told" \
        'MESSAGE<0a>.{16,64}refused open of /seen: needs read, has view by .* \(EACCES\)'
    like "with a priority and a name" "$told" "SYSLOG_IDENTIFIER=scopefs<0a>PRIORITY=5<0a>"
    like "each after its length, so that no name forges a field" "$told" "SCOPEFS_PATH<0a><09>(<00>){7}/odd<0a>name<0a>"
    like "with who it was" "$told" "SCOPEFS_PID=[0-9]+<0a>SCOPEFS_UID=$EUID<0a>"
    like "the file has it as well" "$(scopefs log told)" "refused open of /seen"
    ok "down" scopefs down -c "$config"
    : >"$TEST_TOLD/journal"
}

counts_what_is_lost() {
    make_scope journal
    listen /run/systemd/journal/socket told
    scopefs up -c "$config" >/dev/null
    kill "$listener"
    wait "$listener" 2>/dev/null
    cat m/seen m/one m/two 2>/dev/null
    wait_for 'grep -q "cannot record to the journal" /run/scopefs/.told.log'
    pass "a service that is gone is told in the log"
    listen /run/systemd/journal/socket told
    wait_for 'cat "m/three$((turn++))" 2>/dev/null; grep -q . told'
    like "when it is back, what was lost is counted" "$(texts told)" 'SCOPEFS_DROPPED=[3-9]'
    scopefs down -c "$config" >/dev/null
    kill "$listener"
}

refuses_what_is_not_there() {
    make_scope syslog
    exits "without syslog no view is mounted that is to be told there" 1 scopefs up -c "$config"
    like "and it says why" "$errors" "syslog cannot be reached at /dev/log"
    sed -i 's/^log-to.*/log-to = file paper/' "$config"
    exits "another place" 1 scopefs check "$config"
    like "lists those that are" "$errors" "file, syslog, journal"
}

make_world
# shellcheck disable=SC2034 # in what wait_for evaluates
turn=0
new_workdir
cd "$workdir" || exit
refuses_what_is_not_there
counts_what_is_lost
TEST_TOLD=$test_folder/told
export TEST_TOLD
mkdir "$TEST_TOLD"
listen /dev/log "$TEST_TOLD/syslog"
listen /run/systemd/journal/socket "$TEST_TOLD/journal"
chmod -R a+rwX "$TEST_TOLD"
for_each_user tells_syslog
for_each_user tells_the_journal
done_testing
