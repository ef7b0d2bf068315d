#!/bin/bash
# What a program gets to know of a command: --json, --stdin and -s.
. "${0%/*}/../lib.sh"
. "${0%/*}/common.sh"

# Runs with --json, and prints one field as Perl has it.
json() { run scopefs-exec -c "$config" --json "$@"; }

field() { # NAME
    perl -MJSON::PP -0777 -ne '
        BEGIN { $name = shift }
        $value = JSON::PP->new->decode($_)->{$name};
        binmode STDOUT, ":utf8";
        print ref $value ? ($value ? "true" : "false") : $value // "null"' "$1" <<<"$output"
}

fields() {
    make_project
    json "$scope" sh -c 'echo out; echo err >&2; exit 3'
    is "the exit status is the command's" "$status $(field exit_status)" "3 3"
    is "there is no signal" "$(field signal)" null
    is "standard output is there" "$(field stdout)" out
    is "with its size" "$(field stdout_size) $(field stdout_encoding)" "4 utf-8"
    is "standard error too" "$(field stderr)" err
    is "and nothing on the helper's own" "$errors" ""
    is "it did not run out of time or memory" "$(field timed_out) $(field out_of_memory)" "false false"
    is "there is no error" "$(field error)" null
    is "the scope is named" "$(field scope)" "$scope"
    ok "times and memory are measured" perl -e 'for (@ARGV) { die $_ unless $_ > 0 }' \
        "$(field duration)" "$(field cpu_time)" "$(field peak_memory)"
    json "$scope" sh -c 'kill -TERM $$'
    is "a signal is told" "$status $(field signal)" "143 15"
    json "$scope" sh -c 'exit 143'
    is "a status that looks like one is none" "$status $(field signal)" "143 null"
    json "$scope" sh -c 'kill -TERM -1; kill -HUP -1; exit 3'
    is "who waits for a command minds no signals to everybody" "$status $(field signal)" "3 null"
    json "$scope" sh -c 'exec >&- 2>&-; sleep 0.1; exit 4'
    is "a command may close its output before it ends" "$status $(field signal)" "4 null"
    json -t 1s "$scope" sleep 9
    is "a time-out is told" "$status $(field timed_out) $(field signal)" "124 true 15"
    json -t 1s "$scope" sh -c 'trap "" TERM; exec sleep 9'
    is "also of what has to be killed" "$status $(field timed_out) $(field signal)" "124 true 9"
    json "$scope" no-such-command
    is "a command that is not there has its 127" "$status $(field exit_status)" "127 127"
    like "and message" "$(field stderr)" "cannot run 'no-such-command'"
    is "nothing is left behind" "$(leftovers)" ""
}

streams() {
    make_project
    printf '\n[exec %s]\nmax-output = 10\n' "$scope" >>"$config"
    json "$scope" sh -c 'printf 0123456789; printf 01234567890 >&2'
    is "what fits is whole" "$(field stdout) $(field stdout_truncated)" "0123456789 false"
    is "what does not is cut" "$(field stderr) $(field stderr_truncated) $(field stderr_size)" \
        "0123456789 true 11"
    json "$scope" sh -c 'printf "abcdefghi\303\244"'
    is "a cut character does not make text binary" "$(field stdout) $(field stdout_encoding)" \
        "abcdefghi utf-8"
    json "$scope" printf '\377\0a'
    is "what is not UTF-8 is base64" "$(field stdout) $(field stdout_encoding)" "/wBh base64"
    json "$scope" printf 'a\0b'
    is "a NUL is text" "$(field stdout_size) $(field stdout_encoding)" "3 utf-8"
    json "$scope" sh -c 'head -c 20M /dev/zero'
    is "more output than a pipe holds is counted" "$(field stdout_size)" 20971520
    json -t 200ms "$scope" yes
    is "one that never stops is ended in time" "$status $(field timed_out)" "124 true"
    json "$scope" sh -c 'sleep 9 & echo done'
    is "a process left in the background does not keep it waiting" "$(field stdout)" "done"
}

failures() {
    make_project
    json "$scope" true
    sed -i 's/^source = .*/source = nowhere/' "$config"
    json "$scope" true
    is "a failure of the helper is told in JSON" "$status $(field exit_status)" "125 125"
    like "with the cause" "$(field error)" "could not be mounted"
}

refusals() {
    make_project
    local command='cat listed/file listed/file; echo x >readable; cat .env; cat output/.env; :'
    json "$scope" sh -c "$command"
    is "what the rules refused is told" "$(perl -MJSON::PP -0777 -ne '
        print map { "$_->{path} $_->{operation} $_->{wanted} $_->{level} $_->{errno} $_->{times}\n" }
            sort { $a->{path} cmp $b->{path} } @{JSON::PP->new->decode($_)->{refused_accesses}}' <<<"$output")" \
        "/.env lookup view none ENOENT 1
/listed/file open read view EACCES 2
/output/.env lookup view none ENOENT 1
/readable open write read EACCES 1"
    like "with the rule that decided" "$output" \
        "\"path\":\"/listed/file\",[^}]*\"decided_by\":\"$config:7\",\"rule\":\"view = /listed/\""
    like "a ceiling too" "$output" "\"path\":\"/.env\",[^}]*\"decided_by\":\"$config:11\",\"rule\":\"ceiling none = .env\""
    json "$scope" true
    is "nothing is told where nothing was refused" "$(field refused_accesses_lost)" 0
    like "as an empty list" "$output" '"refused_accesses":\[\]'
    scopefs-exec -c "$config" --report 3 "$scope" sh -c "$command" 3>report >/dev/null 2>&1
    unlike "who may show it to an agent is not told" "$(<report)" "refused_accesses"
    json "$scope" perl -e 'for (1 .. 100) { open F, ">", "readable" }'
    like "each time counts" "$output" '"times":100}],"refused_accesses_lost":0'
}

# Two commands in one view.
apart() {
    make_project
    local owner=() other other_PID job
    ((EUID != 0)) || owner=(--for-user "$(in_sandbox id -u):$(in_sandbox id -g)")
    mkdir -p "views/$scope"
    scopefs mount "${owner[@]}" -c "$config" "$scope"
    coproc other { in_sandbox perl -e '$| = 1; until (-e "output/stop") {
        open F, ">", "listed/file"; print "tried\n"; select undef, undef, undef, 0.01 }'; }
    job=$other_PID # which bash forgets when it has ended
    read -r -u "${other[0]}" _
    json "$scope" perl -e 'open F, ">", "readable"; until ($n++ > 10) { select undef, undef, undef, 0.01 }'
    unlike "what another command was refused is not told" "$output" '"/listed/file"'
    like "what this one was is" "$output" '"path":"/readable"'
    touch source/output/stop
    wait "$job"
}

input() {
    make_project
    echo text >input
    run scopefs-exec -c "$config" --stdin input "$scope" cat
    is "--stdin is the command's input" "$output" text
    exits "one that is not there gives 125" 125 scopefs-exec -c "$config" --stdin nowhere "$scope" cat
    run scopefs-exec -c "$config" -s 'echo "$0 one" | tr a-z A-Z' "$scope"
    is "-s runs a line of the shell" "$output" "SH ONE"
    exits "with its status" 4 scopefs-exec -c "$config" -s 'exit 4' "$scope"
    exits "a line and a command are too much" 125 scopefs-exec -c "$config" -s true "$scope" true
}

for_each_user fields
for_each_user streams
for_each_user refusals
for_each_user apart
for_each_user failures
for_each_user input
done_testing
