#!/usr/bin/env bash
# The manual and --help know the same commands and options, and the manual's settings are accepted.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"

new_workdir
cd "$workdir" || exit

# The options in a help text, as "-c" or "--config".
options_of_help() {
    grep -E '^ +(-[a-zA-Z], |)--[a-z]' | grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+' | grep -oE -- '-[-a-zA-Z]+'
}

# The options that a manual page describes as list items or in its text.
options_of_manual() { # PAGE
    grep -E '^\.(It |)Fl |, Fl ' "$SCOPEFS_SRCDIR/man/$1" | grep -oE '(^\.|It |, )(It )?Fl -?[a-zA-Z-]+' |
        sed -E 's/.*Fl (-?[a-zA-Z-]+)/-\1/' | sort -u
}

commands=$(scopefs --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')
help_texts=$(for command in $commands; do [[ $command == exec ]] || scopefs "$command" --help; done)
is "scopefs(1) has the options of scopefs --help" "$(options_of_manual scopefs.1)" \
    "$({
        options_of_help <<<"$help_texts"
        echo --version
    } | sort -u)"
is "scopefs-exec(1) has the options of scopefs-exec --help" "$(options_of_manual scopefs-exec.1)" \
    "$(scopefs-exec --help | options_of_help | sort -u)"

is "scopefs-mcp(1) has the options of scopefs-mcp --help" "$(options_of_manual scopefs-mcp.1)" \
    "$(scopefs-mcp --help | options_of_help | sort -u)"

for command in $commands; do
    ok "scopefs(1) describes $command" grep -qx ".It Cm $command" "$SCOPEFS_SRCDIR/man/scopefs.1"
done

# What bash offers behind "--" and before that.
completed() { # WORD...
    # shellcheck disable=SC2034 # for the function
    local COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _scopefs
    printf '%s\n' "${COMPREPLY[@]}" | sort
}
# shellcheck source=../../system/completion/scopefs
. "$SCOPEFS_SRCDIR/system/completion/scopefs"
is "completion has the commands" "$(completed scopefs '')" "$(sort <<<"$commands")"
for command in $commands; do
    is "completion has the options of $command" "$(completed scopefs "$command" --)" \
        "$(scopefs "$command" --help | options_of_help | grep -e '^--' | sort)"
done
for program in scopefs-exec scopefs-mcp; do
    is "completion has the options of $program" "$(completed "$program" --)" \
        "$("$program" --help | options_of_help | grep -e '^--' | sort)"
done

is "completion has the words of sessions" "$(completed scopefs-exec session '' | tr '\n' ' ')" "close list "
like "and offers them beside scopes" "$(completed scopefs-exec 'ses')" session

# The first example of a manual page, as text.
example() { # PAGE
    sed -n '/^\.Bd -literal/,/^\.Ed/p' "$SCOPEFS_SRCDIR/man/$1" | sed '/^\.Ed/q' | grep -v '^\.'
}
example scopefs.ini.5 >scopefs.ini
ok "the example of scopefs.ini(5) has no error" scopefs check scopefs.ini
while read -r line; do
    section='[rules page]'
    [[ $line != network-allow* ]] || section=$'[exec page]\nnetwork = allow'
    printf '[scope page]\nsource = .\n%s\n%s\n' "$section" "${line//\\(dq/\"}" >line.ini
    ok "a line of scopefs.ini(5) has no error: $line" scopefs check line.ini
done < <(sed -n 's/^\.Dl //p' "$SCOPEFS_SRCDIR/man/scopefs.ini.5")
# The keys of a section, as the program's message about an unknown one lists them.
keys_of_section() { # SECTION
    {
        printf '[scope page]\nsource = .\n'
        [[ $1 == scope ]] || echo "[$1 page]"
        echo 'qqqqqq = 1'
    } >keys.ini
    scopefs check keys.ini 2>&1 | sed -n 's/.*; there are: //p' | sed 's/, /\n/g' | sort
}
for section in scope exec; do
    is "scopefs.ini(5) has the keys of [$section]" \
        "$(sed -n "/^\.Ss The section \[$section/,/^\.S[hs] [^T]/p" "$SCOPEFS_SRCDIR/man/scopefs.ini.5" |
            sed '1d; /^\.Ss/,$d' | sed -n 's/^\.It Cm env\. Ns Ar NAME.*/env.NAME/p; s/^\.It Cm \([a-z-]*\) Li.*/\1/p' | sort)" \
        "$(keys_of_section $section)"
done

# Each example of scopefs-rules(7) is a file, or the rules of one; its comments are paths with their levels.
mkdir web
sed -n '/^\.Bd -literal/,/^\.Ed/p' "$SCOPEFS_SRCDIR/man/scopefs-rules.7" | sed 's/\\e/\\/g' |
    csplit --quiet --elide-empty-files --prefix=rules. - '/^\.Bd/' '{*}'
ok "scopefs-rules(7) has examples" test -e rules.10
for example in rules.*; do
    grep -v '^\.' "$example" >page.ini
    grep -q '^\[scope' page.ini ||
        { printf '[scope page]\nsource = .\n[rules page]\n' && grep -v '^\.' "$example"; } >page.ini
    while read -r _ path level; do
        [[ $level != 'way through' ]] || level='none (a directory here is shown as the way'
        like "scopefs-rules(7): $path is $level" "$(scopefs explain -c page.ini page "$path" 2>&1)" \
            "^$(printf '%q' "$path: $level")"
    done < <(grep '^; ' page.ini)
done
done_testing
