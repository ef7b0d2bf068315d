# shellcheck shell=bash disable=SC2154,SC2034 # variables of lib.sh and for the tests
# What the tests of sessions share. Sourced after common.sh.

# Also of a test that was ended half way.
trap 'scopefs-exec session close "box-$$" 2>/dev/null; test_clean_up' EXIT

# Shell text in the session "one" of the scope.
in_session() { scopefs-exec -c "$config" --session one -s "$1" "$scope"; }

# The words of a command in it.
in_session_run() { scopefs-exec -c "$config" --session one "$scope" -- "$@"; }

close_sessions() { scopefs-exec session close "$scope"; }

list_sessions() { scopefs-exec session list --json "$scope"; }

# Runs a call in the background; its number is in $job. Not interactive, bash would have it ignore
# SIGINT.
start_call() { # ARGUMENT...
    : >call.out
    set -m
    scopefs-exec -c "$config" --session one "$@" </dev/null >call.out 2>call.err &
    job=$!
    set +m
}

wait_for_call() {
    wait "$job" 2>/dev/null
    status=$?
}

# What runs for the sessions of this test, outside.
session_processes() { pgrep -f "session serve $scope "; }

field() { # NAME
    perl -MJSON::PP -0777 -ne '
        BEGIN { @path = split /\./, shift }
        $value = JSON::PP->new->decode($_);
        $value = $value->{$_} for @path;
        print ref $value ? ($value ? "true" : "false") : $value // "null"' "$1" <<<"$output"
}
