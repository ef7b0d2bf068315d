#!/usr/bin/env bash
# sshd with the examples: ssh, scp, sftp, rsync and git see the view, and a key can be for the tools alone.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"

((EUID == 0)) || skip_all "started by an ordinary user"
server=$(PATH=$PATH:/usr/sbin command -v sshd) || skip_all "sshd is not installed"

# shellcheck disable=SC2154 # set by lib.sh
make_server() {
    local key
    mkdir -p source/{src,hidden,open,repo} /run/sshd
    echo hello >source/src/file
    echo secret >source/hidden/file
    git -C source/repo init -q && git -C source/repo commit -q --allow-empty -m "first"
    chown -R "$test_user:" source
    cat >scopefs.ini <<END
[scope ssh-$$]
source = $workdir/source
default = read

[rules ssh-$$]
write = /open/
none  = /hidden/
END
    for key in host tools commands; do
        ssh-keygen -q -t ed25519 -N '' -f "$key"
    done
    examples=$(shared_copy "$SCOPEFS_SRCDIR/examples/ssh" in-view)
    {
        echo "restrict,command=\"scopefs-mcp -c $workdir/scopefs.ini ssh-$$\" $(<tools.pub)"
        echo "restrict,command=\"$examples/in-view -c $workdir/scopefs.ini ssh-$$\" $(<commands.pub)"
    } >authorized_keys
    chmod 0644 authorized_keys
    # Not locked, and without a password.
    usermod -p '*' "$test_user"
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    cat >sshd_config <<END
ListenAddress 127.0.0.1:$port
HostKey $workdir/host
PidFile $workdir/sshd.pid
AuthorizedKeysFile $workdir/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
SetEnv PATH=$test_user_programs:/usr/local/bin:/usr/bin:/bin XDG_RUNTIME_DIR=$test_user_folder/run
Subsystem sftp /usr/lib/openssh/sftp-server
END
    touch sshd.log
    "$server" -D -f sshd_config -E sshd.log &
    wait_for "grep -q 'Server listening' sshd.log"
    echo "[127.0.0.1]:$port $(<host.pub)" >known_hosts
    cat >ssh_config <<END
Host tools commands
    HostName 127.0.0.1
    Port $port
    User $test_user
    IdentitiesOnly yes
    UserKnownHostsFile $workdir/known_hosts
    LogLevel ERROR
Host tools
    IdentityFile $workdir/tools
Host commands
    IdentityFile $workdir/commands
END
}

new_workdir
cd "$workdir" || exit
test_prepare_user
make_server
export GIT_SSH_COMMAND="ssh -F $workdir/ssh_config" RSYNC_RSH="ssh -F $workdir/ssh_config"

ok "ssh runs a command in the view" ssh -F ssh_config commands 'pwd; ls; cat hidden/file || true'
is "which sees it and nothing else" "$output" $'/workspace\nopen\nrepo\nsrc'
exits "its exit status comes back" 7 ssh -F ssh_config commands 'exit 7'
ok "scp reads" scp -q -F ssh_config commands:src/file here
is "what is there" "$(<here)" hello
fails "not what is hidden" scp -q -F ssh_config commands:hidden/file there
fails "nor what is on the host" scp -q -F ssh_config "commands:$workdir/source/hidden/file" there
ok "scp writes where it may" scp -q -F ssh_config here commands:open/copy
is "into the source" "$(<source/open/copy)" hello
fails "and nowhere else" scp -q -F ssh_config here commands:src/copy
echo "ls -1" >lines
ok "sftp lists" sftp -q -F ssh_config -b lines commands
is "without what is hidden" "$output" $'sftp> ls -1\nopen\nrepo\nsrc'
ok "rsync copies" rsync -a commands:/workspace/ copied/
is "what can be seen" "$(find copied -maxdepth 1 -mindepth 1 -printf '%f\n' | sort | xargs)" "open repo src"
ok "git clones" git clone -q commands:/workspace/repo cloned
is "the repository" "$(git -C cloned log --format=%s)" "first"

printf '%s\n' \
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}' \
    '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"read_file","arguments":{"path":"src/file"}}}' >requests
answers=$(ssh -F ssh_config tools <requests)
like "a key for the tools gives them" "$answers" '"content":"hello\\n"'
answers=$(ssh -F ssh_config tools cat /etc/passwd <requests)
like "whatever the client asks for" "$answers" '"content":"hello\\n"'
unlike "and nothing of the host" "$answers" 'root:'
done_testing
