#!/bin/bash
# Sessions: what neither their commands nor others get out of them, and which view they see.
. "${0%/*}/../lib.sh"
. "${0%/*}/common.sh"
. "${0%/*}/session.sh"

isolation() {
    make_project
    is "a session sees the view and its rules" "$(in_session 'cat readable; cat .env' 2>&1)" "readable
cat: .env: No such file or directory"
    is "it has no capabilities" "$(in_session 'grep CapEff /proc/$$/status')" "CapEff:	0000000000000000"
    is "cannot get new privileges" "$(in_session 'grep NoNewPrivs /proc/$$/status')" "NoNewPrivs:	1"
    is "and is filtered" "$(in_session 'grep "Seccomp:" /proc/$$/status')" "Seccomp:	2"
    fails "it can mount nothing" in_session 'mount -t tmpfs none /tmp'
    is "its environment is the sandbox's" "$(SECRET=x in_session 'env | cut -d= -f1 | sort | tr "\n" " "')" \
        "HOME LANG PATH PWD SHELL SHLVL TERM USER _ "
    is "no process of the host is seen" \
        "$(in_session 'cat /proc/[0-9]*/comm | grep -vx "cat\|grep\|sort" | sort -u' | tr '\n' ' ')" "bash bwrap "
    local folder
    folder=$(runtime_folder)/.sessions
    in_session true
    is "its socket is in a folder of the owner's alone" "$(stat -c %a "$folder")" 700
    is "and is the owner's alone" "$(stat -c '%a %F' "$folder/$scope@one")" "600 socket"
    is "a session cannot see it" "$(in_session "ls -d $folder /run/scopefs 2>/dev/null")" ""
    # Whoever makes the calls by which the shell is spoken to gets what anybody gets.
    is "a command that pretends to be the shell is not believed" "$(in_session \
        'perl -e '\''for (0 .. 3) { print kill(0, 0x40000000 + 256 * $_ + 5) ? "yes" : $! + 0, " " }'\''; (exit 4)'; echo $?)" \
        "3 3 3 3 4"
    is "so is a shell's child" "$(in_session '(kill -0 1073742340) 2>/dev/null; echo $?')" 1
    run in_session 'kill -0 1073742336; echo "still there"; (exit 6)'
    is "the shell can only lie about itself" "$(in_session 'echo next')" next
    # What answers in a sandbox is not spoken to, even where its socket has the place of a session.
    close_sessions
    cat >>"$config" <<END
[scope near-$$]
source = $(runtime_folder)
mount = $workdir/near
default = write
END
    exits "no session is kept where an agent could write" 125 \
        scopefs-exec -c "$config" --session one "near-$$" -- true
    like "which is said" "$errors" "lies in the source of scope near-$$"
}

impostors() {
    make_project
    local folder
    folder=$(runtime_folder)/.sessions
    in_session true
    close_sessions
    # In a process namespace of its own, as a sandbox has one.
    cat >impostor.pl <<'END'
use Socket;
socket my $s, AF_UNIX, SOCK_SEQPACKET, 0;
bind $s, pack_sockaddr_un($ARGV[0]) or die "bind: $!";
listen $s, 5;
open my $f, ">", "$ARGV[1]"; close $f;
accept my $c, $s;
recv $c, my $got, 4096, 0;
open $f, ">", "$ARGV[2]"; print $f $got; close $f;
END
    bwrap --bind / / --dev /dev --unshare-pid --die-with-parent perl impostor.pl \
        "$folder/$scope@one" up.mark got.mark &
    wait_for '[[ -e up.mark ]]'
    exits "who answers from a sandbox is told nothing" 125 in_session 'echo secret'
    like "and the caller is told" "$errors" "runs in a sandbox"
    fails "nothing was sent" test -s got.mark
    kill $! 2>/dev/null
    wait
    rm -f "$folder/$scope@one"
    is "a dead one's socket is no obstacle" "$(perl -MSocket -e '
        socket my $s, AF_UNIX, SOCK_SEQPACKET, 0; bind $s, pack_sockaddr_un($ARGV[0])' \
        "$folder/$scope@one"; in_session 'echo here')" here
    run in_session true
    kill -KILL "$(list_sessions | grep -oP '"pid":\K\d+')"
    ok "when its process is killed, all of the sandbox goes" wait_for \
        '[[ -z $(session_processes) && -z $(leftovers) ]]'
    ok "gc takes away what it leaves" scopefs gc
    fails "its socket" test -e "$folder/$scope@one"
    is "and the next call starts another" "$(in_session 'echo again')" again
    ok "gc leaves that alone" scopefs gc
    is "as it is" "$(in_session 'echo "$((2 + 2))"')" 4
    close_sessions
}

views() {
    make_project
    in_session 'x=1'
    like "without a mounted view it has one of its own" "$(leftovers)" "exec-$scope"
    close_sessions
    is "which goes with it" "$(leftovers)" ""
    mkdir -p "$workdir/views/$scope"
    local mount=(scopefs mount -c "$config")
    ((EUID != 0)) || mount+=(--for-user 65530:65530)
    "${mount[@]}" "$scope"
    in_session true
    printf '\n[exec %s]\nptrace = yes\n' "$scope" >>"$config"
    run in_session 'x=1; sleep 984 &'
    like "another setting ends the session" "$errors" "begins anew: the scope has changed"
    is "a mounted view is used" "$(leftovers)" ""
    sed -i 's/^write = .*/none = \/listed/' "$config"
    scopefs reload "$scope"
    is "new rules hold in it" "$(in_session 'echo $x; ls listed 2>&1')" "1
ls: cannot access 'listed': No such file or directory"
    fails "a session uses its view" scopefs umount "$scope"
    like "which is told with the mend" "$errors" "scopefs-exec session close $scope one, stop it, or add --lazy"
    ok "which can be unmounted all the same" scopefs umount --lazy "$scope"
    ok "when the view is unmounted, the session ends" wait_for '[[ -z $(session_processes) ]]'
    fails "with all that ran in it" pgrep -f "^sleep 984"
    is "another begins" "$(in_session 'echo "[$x]"')" "[]"
    in_session 'x=2'
    sed -i 's/^default = read/default = none/' "$config"
    run in_session 'echo "[$x]"; cat readable'
    is "new rules end one with a view of its own" "$output" "[]"
    like "which is said" "$errors" "session one begins anew: the scope has changed"
    echo 'env.NEW = there' >>"$config"
    is "so do new settings" "$(in_session 'echo $NEW' 2>/dev/null)" there
    sed 's/there/elsewhere/' "$config" >other.ini
    is "another file's scope has another session" \
        "$(scopefs-exec -c other.ini --session one -s 'echo $NEW' "$scope" 2>/dev/null)" elsewhere
    close_sessions
}

for body in isolation impostors views; do
    for_each_user "$body"
done
done_testing
