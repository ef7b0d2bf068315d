#!/bin/bash
# What a command can see and do in its sandbox: each wall is tried from inside.
. "${0%/*}/../lib.sh"
. "${0%/*}/common.sh"

view_is_enforced() {
    make_project
    run in_sandbox ls -a
    is "a hidden file is not listed" "$output" ".
..
listed
output
readable"
    run in_sandbox cat .env
    like "nor opened" "$errors" "No such file"
    run in_sandbox ls listed
    is "a listed file is seen" "$output" file
    run in_sandbox cat listed/file
    like "but not read" "$errors" "Permission denied"
    run in_sandbox cat readable
    is "a readable file is read" "$output" readable
    fails "but not written" sandbox_shell 'echo x >readable'
    fails "nor removed" in_sandbox rm -f readable
    ok "a writable folder is written" sandbox_shell 'echo new >output/new'
    is "and so is the source" "$(<source/output/new)" new
    is "with the owner of the source's folder" "$(stat -c %u source/output/new)" \
        "$(stat -c %u source/output)"
    echo late >source/.env.local
    echo late >source/output/.env
    fails "a hidden file made afterwards is hidden" in_sandbox cat output/.env
    is "nothing is left behind" "$(leftovers)" ""
}

privileges() {
    make_project
    run in_sandbox cat /proc/self/status
    like "no effective capabilities" "$output" $'CapEff:\t0000000000000000'
    like "no permitted ones" "$output" $'CapPrm:\t0000000000000000'
    like "none in the bounding set" "$output" $'CapBnd:\t0000000000000000'
    like "no ambient ones" "$output" $'CapAmb:\t0000000000000000'
    like "no new privileges" "$output" $'NoNewPrivs:\t1'
    like "system calls are filtered" "$output" $'Seccomp:\t2'
    run sandbox_shell 'readlink /proc/self/ns/*'
    local inside=$output
    run sh -c 'readlink /proc/self/ns/*'
    is "no namespace but time's is the host's" \
        "$(comm -12 <(sort <<<"$inside") <(sort <<<"$output") | grep -v time)" ""
    fails "no user namespace can be made" in_sandbox unshare --user true
    fails "nothing can be mounted" in_sandbox mount -t tmpfs none /tmp
    fails "nor unmounted" in_sandbox umount /workspace
    fails "the view cannot be remounted" in_sandbox mount -o remount,bind,rw /usr
    local sandbox sandbox_PID
    coproc sandbox { in_sandbox sh -c 'echo up; read -r _' "mark-$$"; }
    read -r -u "${sandbox[0]}" _
    is "to the host, every process of the sandbox is an ordinary user's" \
        "$(ps -eo uid=,args= | awk "/mark-$$/ && !/scopefs-exec|awk/ { print \$1 }" | sort -u)" \
        "$( ((EUID == 0)) && echo 65530 || echo "$EUID")"
    eval "exec ${sandbox[1]}>&-"
    wait "$sandbox_PID"
}

processes() {
    make_project
    run sandbox_shell 'echo /proc/[0-9]*'
    is "only the sandbox's own processes are seen" "$output" "/proc/1 /proc/2"
    run sandbox_shell 'tr "\0" "\n" </proc/1/environ'
    is "the first of them shows no environment of the host" "$output" ""
    run sandbox_shell 'kill -0 1 && echo reached; kill -0 '$$' && echo reached'
    unlike "processes of the host cannot be signalled" "$output" "reached.*reached"
    run sandbox_shell 'readlink /proc/1/root /proc/1/cwd'
    unlike "nor lead to the host's files" "$output" "[a-z]"
    fails "the terminal is not the caller's" in_sandbox sh -c 'exec 3</dev/tty'
}

host() {
    make_project
    run in_sandbox ls -A /
    is "the root holds only what is listed" "$(grep -v -E '^lib(32|64|x32)?$' <<<"$output")" "bin
dev
etc
home
proc
run
sbin
tmp
usr
var
workspace"
    fails "the root cannot be written" in_sandbox touch /new
    fails "nor the system" in_sandbox touch /usr/new
    fails "nor /etc" in_sandbox touch /etc/new
    run in_sandbox sh -c 'cat /etc/passwd /etc/group | cut -d: -f1 | sort -u'
    is "no account of the host is shown" "$output" "agent
nobody
nogroup
root"
    fails "no secrets of the host's /etc" in_sandbox ls /etc/shadow
    fails "no host name service without a network" in_sandbox cat /etc/resolv.conf
    fails "no sockets of the host's /run" sandbox_shell 'ls /run/* 2>/dev/null'
    fails "no kernel settings" sandbox_shell 'echo 1 >/proc/sys/kernel/hostname'
    fails "no sysrq" sandbox_shell 'echo h >/proc/sysrq-trigger'
    fails "no devices but the harmless" in_sandbox ls /dev/fuse /dev/kmsg
    ok "/tmp, /var/tmp, the home and /dev/shm can be written" \
        sandbox_shell 'touch /tmp/x /var/tmp/x ~/x /dev/shm/x'
}

# Of the host's, from inside.
reach_abstract_socket() {
    run perl -e 'use IO::Socket::UNIX;
        my $name = "\0scopefs-test-$$";
        my $server = IO::Socket::UNIX->new(Local => $name, Listen => 1) or die $!;
        IO::Socket::UNIX->new(Peer => $name) or die $!;
        system(@ARGV, "-e", "use IO::Socket::UNIX;
            print IO::Socket::UNIX->new(Peer => qq(\\0scopefs-test-$$)) ? q(reached) : \$!")' \
        scopefs-exec -c "$config" "$scope" perl
}

# Since Linux 6.12, where it is switched on.
has_landlock_scopes() { perl -e 'exit(syscall(444, 0, 0, 1) < 6)'; }

network() {
    make_project
    run sandbox_shell 'tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "'
    is "the only network device is the sandbox's own lo" "$output" lo
    run sandbox_perl 'use IO::Socket::INET;
        my $server = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die $!;
        IO::Socket::INET->new("127.0.0.1:" . $server->sockport) or die $!; print "connected"'
    is "which works" "$output" connected
    reach_abstract_socket
    is "abstract sockets of the host cannot be reached" "$output" "Connection refused"
    cat >>"$config" <<END

[exec $scope]
network = host
END
    run sandbox_shell 'readlink /proc/self/ns/net'
    is "network = host is the host's" "$output" "$(readlink /proc/self/ns/net)"
    ok "with its resolver" sandbox_shell '[ ! -e /etc/resolv.conf ] || cat /etc/resolv.conf'
    reach_abstract_socket
    if has_landlock_scopes; then
        is "but not its abstract sockets" "$output" "Operation not permitted"
    else
        is "and its abstract sockets, on such an old kernel" "$output" reached
    fi
    run sandbox_perl 'use IO::Socket::UNIX; my $name = "\0own";
        my $server = IO::Socket::UNIX->new(Local => $name, Listen => 1) or die $!;
        print IO::Socket::UNIX->new(Peer => $name) ? "connected" : $!'
    is "its own work" "$output" connected
}

tools() {
    make_project
    is "a pipe" "$(sandbox_shell 'echo abc | tr a-c x-z | cat')" xyz
    is "bash with a process substitution" "$(in_sandbox bash -c 'cat <(echo one) <<<two')" one
    ok "a C compiler and its program" sandbox_shell \
        'printf "int main(void){return 0;}" >/tmp/a.c && gcc -o /tmp/a /tmp/a.c && /tmp/a'
    ok "threads" sandbox_shell 'printf "%s\n" "#include <pthread.h>" \
        "static void *f(void *p) { return p; }" \
        "int main(void) { pthread_t t; return pthread_create(&t, 0, f, 0) || pthread_join(t, 0); }" \
        >/tmp/t.c && gcc -pthread -o /tmp/t /tmp/t.c && /tmp/t'
    ok "git" sandbox_shell 'cd output && git init -q . && git add -A . &&
        git -c user.name=a -c user.email=a@b commit -qm first && git status --short'
    is "git on the host agrees" \
        "$(git -c safe.directory='*' -C source/output log --format=%s)" first
    ok "perl with a subprocess" sandbox_perl 'exit(system("true") >> 8)'
    # Not every host that runs the tests has these.
    if [[ -x /usr/bin/python3 ]]; then
        ok "python with a pool of processes" in_sandbox /usr/bin/python3 -c \
            'import multiprocessing as m; assert m.Pool(2).map(abs, [-1]) == [1]'
        ok "python with a subprocess" in_sandbox /usr/bin/python3 -c \
            'import subprocess; subprocess.run(["true"], check=True)'
    fi
    if [[ -x /usr/bin/node ]]; then
        is "node" "$(in_sandbox /usr/bin/node -e \
            'require("fs").readFile("readable", "utf8", (e, t) => console.log(t.trim()))')" readable
    fi
    if [[ -x /usr/bin/go ]]; then
        ok "go" sandbox_shell 'cd /tmp && printf "package main\nfunc main() { println(\"go\") }\n" >a.go &&
            GOCACHE=/tmp/cache GO111MODULE=off /usr/bin/go run a.go'
    fi
    is "an interactive shell with jobs on a terminal of its own" "$(in_sandbox perl -MPOSIX -e '
        sysopen(M, "/dev/ptmx", O_RDWR | O_NOCTTY) or die "ptmx: $!";
        my ($number, $unlock) = (pack("i", 0), pack("i", 0));
        ioctl(M, 0x40045431, $unlock) or die; ioctl(M, 0x80045430, $number) or die;
        my $name = "/dev/pts/" . unpack("i", $number);
        if (!fork) {
            POSIX::setsid();
            open STDIN, "+<", $name or die; open STDOUT, ">&STDIN"; open STDERR, ">&STDIN";
            exec "bash", "--norc", "-i";
        }
        syswrite M, "PS1=; stty -echo; set +o emacs\nsleep 50 & sleep 60 &\njobs | sed s/.*sleep/job/\n"
            . "kill %1 %2; wait; fg; echo end=\$?\nexit\n";
        my $all = ""; while (sysread M, my $part, 4096) { $all .= $part }
        print join " ", $all =~ /^(job [0-9]+|end=1)/mg' 2>/dev/null)" "job 50 job 60 end=1"
    ok "make" sandbox_shell 'cd output && printf "all:\n\ttouch made\n" >Makefile && make -s'
    ok "tar" sandbox_shell 'tar -cf - readable | tar -C output -xf -'
}

tracing() {
    make_project
    printf 'int answer = 42;\nint main(void)\n{\n    return answer - 42;\n}\n' >source/output/a.c
    ok "a program to look into" sandbox_shell 'cd output && gcc -g -O0 -o a a.c'
    run sandbox_shell 'cd output && gdb -batch -nx -ex "break main" -ex run ./a'
    unlike "nobody is traced" "$output" 'Breakpoint 1, '
    like "which gdb is told" "$errors" "ptrace: Operation not permitted"
    printf '\n[exec %s]\nptrace = yes\n' "$scope" >>"$config"
    run sandbox_shell 'cd output && gdb -batch -nx -ex "break main" -ex run -ex "print answer" -ex "set var answer = 43" \
        -ex continue ./a'
    like "with ptrace = yes, gdb stops and looks" "$output" '\$1 = 42'
    like "changes and goes on" "$output" "exited with code 01"
    run in_sandbox gdb -batch -nx -p "$$"
    like "processes of the host are not there to be traced" "$errors" "No such process"
    run scopefs-exec -c "$config" -n "$scope" true
    like "the dry run has that filter" "$output" "--print-seccomp -c .* $scope\)"
    unlike "which is another one" "$(scopefs-exec -c "$config" --print-seccomp "$scope" | cksum)" \
        "^$(scopefs-exec --print-seccomp | cksum)\$"
}

for_each_user view_is_enforced
for_each_user privileges
for_each_user processes
for_each_user host
for_each_user network
for_each_user tools
for_each_user tracing
done_testing
