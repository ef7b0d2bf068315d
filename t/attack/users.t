#!/bin/bash
# A view that root mounts for one user: that user alone gets in, and the server keeps little power.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"

permitted_skip="started by an ordinary user"
((EUID == 0)) || skip_all "$permitted_skip"

status_of() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }

ask_socket() { # PATH
    perl -MIO::Socket::UNIX -e '
        my $socket = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "cannot connect: $!\n";
        $SIG{PIPE} = "IGNORE";
        $socket->syswrite("counters\n");
        chomp(my $answer = <$socket> // "no answer");
        print "$answer\n"' "$1" 2>&1
}

body() {
    mkdir -p source/mine source/roots
    chmod 755 . source
    chown "$test_user" source/mine
    echo readable >source/mine/file
    echo secret >source/roots/.env
    chmod 600 source/mine/file
    write_config <<END
[scope alone]
source = source
user   = $test_user
[rules alone]
write = /mine
read  = /roots
[ceiling alone]
none = .env
END
    mount_view alone || return

    fails 'root does not get in' ls "$view"
    like 'and is told so by EACCES' "$errors" 'Permission denied'
    fails 'nor does another user' setpriv --reuid=65534 --regid=65534 --clear-groups ls "$view"
    like 'with the same answer' "$errors" 'Permission denied'
    ok 'the user does' as_user ls "$view"
    is 'and reads what only root may read otherwise, when the rules say so' \
        "$(as_user cat "$view/mine/file")" readable
    is 'files are shown as the user'"'"'s' "$(as_user stat -c %U "$view/roots")" "$test_user"
    fails 'the rules hold' as_user cat "$view/roots/.env"
    fails 'what is hidden cannot be made' as_user touch "$view/mine/.env"
    ok 'a file is made' as_user touch "$view/mine/made"
    is 'with the owner of its directory' "$(stat -c %U source/mine/made)" "$test_user"
    ok 'a directory is made' as_user mkdir "$view/mine/folder"
    is 'with the same' "$(stat -c %U source/mine/folder)" "$test_user"
    fails 'the user cannot give files away' as_user chown 0 "$view/mine/made"
    fails 'nor make them setuid' as_user chmod u+s "$view/mine/made"
    ok 'chmod works otherwise' as_user chmod 700 "$view/mine/made"

    local server
    server=$(pgrep -P "$(pgrep -o -f "^[^ ]*scopefs mount .*alone .*views/alone")")
    is 'the server keeps chown, dac_override, dac_read_search and fowner' \
        "$(status_of "$server" CapEff)" 000000000000000f
    is 'can get no other but fsetid, which chmod takes for a moment' \
        "$(status_of "$server" CapPrm)" 000000000000001f
    is 'nor privileges by running a program' "$(status_of "$server" NoNewPrivs)" 1
    is_sanitized || is 'and its system calls are filtered' "$(status_of "$server" Seccomp)" 2
    fails 'the user cannot look into it' as_user cat "/proc/$server/maps"
    fails 'nor read its memory' as_user head -c 1 "/proc/$server/mem"
    fails 'nor follow its descriptors' as_user ls "/proc/$server/fd/"
    local socket
    socket=$(grep -lx 'scope = alone' /run/scopefs/.run/*[0-9] | head -n 1).sock
    touch reached
    mount --bind "$socket" reached
    chmod 666 reached
    is 'its socket, if others could reach it, answers root' "$(ask_socket reached)" ok
    is 'and nobody but root and its owner' "$(as_user bash -c "$(declare -f ask_socket)
        ask_socket $PWD/reached")" 'no answer'
    chmod 600 reached
    umount reached
    is 'it holds nothing of its caller' "$(readlink /proc/"$server"/fd/* | grep -c /dev/tty)" 0
    unmount_view

    sed -i 's/^user .*/user = root/' "$config"
    fails 'an ordinary user cannot mount for another' as_user scopefs mount -c "$config" alone
    like 'and is told who can' "$errors" 'mount it as root or as that user'
}

# Each request is its own caller's, whichever thread of the server serves it.
make_many() { # UID UMASK TURN
    setpriv --reuid="$1" --regid="$1" --clear-groups perl -MPOSIX=mkfifo -e '
        my ($user, $mask, $turn) = @ARGV;
        umask oct $mask;
        for my $i (1 .. 300) {
            my $name = "$user-$turn-$i";
            open my $file, ">", "file-$name" or die "file-$name: $!";
            mkdir "folder-$name" or die "folder-$name: $!";
            mkfifo "fifo-$name", 0666 or die "fifo-$name: $!";
            symlink "nowhere", "link-$name" or die "link-$name: $!";
        }' "$1" "$2" "$3"
}

sharing() {
    mkdir source shared
    chmod 1777 source
    ok 'a view is open to all' scopefs mount --allow-other --source source --rule write=/ shared
    local turn
    for turn in 1 2; do
        (cd shared && make_many 61001 022 "$turn") &
        (cd shared && make_many 61002 077 "$turn") &
        (cd shared && make_many 61003 002 "$turn") &
    done
    wait
    is 'six processes of three users made what they wanted' "$(find source -mindepth 1 | wc -l)" 7200
    is 'each has its owner' "$(find source -mindepth 1 ! \( -name '*-61001-*' -uid 61001 -gid 61001 \
        -o -name '*-61002-*' -uid 61002 -gid 61002 -o -name '*-61003-*' -uid 61003 -gid 61003 \))" ''
    is 'and the permissions that its umask leaves' "$(find source -mindepth 1 ! -type l ! \( \
        -name 'f[io][lf][eo]-61001-*' -perm 644 -o -name 'folder-61001-*' -perm 755 -o \
        -name 'f[io][lf][eo]-61002-*' -perm 600 -o -name 'folder-61002-*' -perm 700 -o \
        -name 'f[io][lf][eo]-61003-*' -perm 664 -o -name 'folder-61003-*' -perm 775 \))" ''
    fails 'one cannot remove what is the others'"'" setpriv --reuid=61001 --regid=61001 --clear-groups \
        rm -f shared/file-61002-1-1
    fails 'nor read it' setpriv --reuid=61001 --regid=61001 --clear-groups cat shared/file-61002-1-1
    unmount_view "$PWD/shared"
}

test_prepare_user
new_workdir
cd "$workdir" || exit 1
body
new_workdir
cd "$workdir" || exit 1
chmod 755 .
sharing
done_testing
