# shellcheck shell=bash
# shellcheck disable=SC2154 # run, of t/lib.sh, sets output, errors and status
# What the tests of attacks share, on top of t/lib.sh: programs that attack a view and tell in TAP.

# A driver for both users: prints the path at which the ordinary user can run it.
attack_program() { # NAME
    local folder
    folder=$(shared_copy "$SCOPEFS_BUILDDIR/t/attack" "$1") && printf '%s/%s\n' "$folder" "$1"
}

# Runs a driver and counts its results as this test's own.
drive() { # PROGRAM ARGUMENT...
    local line
    run "$@"
    while IFS= read -r line; do
        case $line in
        "ok "*) pass "${line#ok * - }" ;;
        "not ok "*) flunk "${line#not ok * - }" ;;
        "# "*) diag "${line#"# "}" ;;
        esac
    done <<<"$output"
    [[ -z $errors ]] || diag "${errors//$'\n'# /$'\n'}"
    [[ $output == *1..* ]] || flunk "$1 came to its end (exit status $status)"
}
