# Completion for fish: commands and options as --help lists them, scopes as the configuration does,
# and paths as `scopefs ls` shows them.

function __scopefs_config
    set -l words (commandline -opc)
    for i in (seq 1 (math (count $words) - 1))
        if contains -- $words[$i] -c --config
            echo $words[(math $i + 1)]
            return
        end
    end
    set -l home $XDG_CONFIG_HOME
    test -n "$home"; or set home $HOME/.config
    for file in ./scopefs.ini $home/scopefs/scopefs.ini /etc/scopefs/scopefs.ini
        test -e $file; and echo $file; and return
    end
end

function __scopefs_scopes
    set -l file (__scopefs_config)
    test -n "$file"; and sed -n 's/^\[scope[[:space:]]\{1,\}\([^][:space:]]*\)[[:space:]]*\].*/\1/p' $file 2>/dev/null
end

function __scopefs_commands
    scopefs --help 2>/dev/null | sed -n 's/^  \([a-z]\{1,\}\) *\(.*\)/\1\t\2/p'
end

# The program with its command, as it takes --help.
function __scopefs_program
    set -l words (commandline -opc)
    if string match -q 'scopefs-*' -- $words[1]
        echo $words[1]
    else
        string join \n -- scopefs $words[2]
    end
end

function __scopefs_options
    set -l program (__scopefs_program)
    $program --help 2>/dev/null | sed -nE 's/^ +(-[a-zA-Z], )?(--[a-z-]+)(=[A-Z=:]+)? +(.*)/\2\t\4/p'
end

function __scopefs_takes_config
    __scopefs_options | string match -q -- '--config*'
end

# The scope that the words name, if any: commands that take one want no second.
function __scopefs_scope
    for word in (commandline -opc)[2..-1]
        if contains -- $word (__scopefs_scopes)
            echo $word
            return
        end
    end
    return 1
end

function __scopefs_wants_scope
    __fish_seen_subcommand_from up down restart reload ps; and return
    __fish_seen_subcommand_from mount automount umount log summary learn explain ls exec
    and not __scopefs_scope >/dev/null
end

function __scopefs_paths
    set -l scope (__scopefs_scope)
    test -n "$scope"; or return
    set -l folder (string replace -r '[^/]*$' '' -- (commandline -ct))
    scopefs ls -c (__scopefs_config) $scope $folder 2>/dev/null | sed -n 's|^[a-z]* */||p'
end

# What stands behind "session", with the number of words given.
function __scopefs_session
    set -l words (commandline -opc)
    test "$words[2]" = session; and test (count $words) -eq $argv[1]
end

complete -c scopefs -f
complete -c scopefs -n __fish_use_subcommand -a '(__scopefs_commands)'
complete -c scopefs -n 'not __fish_use_subcommand; and string match -q -- "-*" (commandline -ct)' -a '(__scopefs_options)'
complete -c scopefs -n 'not __fish_use_subcommand; and __scopefs_takes_config' -s c -l config -r -F
complete -c scopefs -n __scopefs_wants_scope -a '(__scopefs_scopes)'
complete -c scopefs -n '__fish_seen_subcommand_from explain ls' -a '(__scopefs_paths)'
complete -c scopefs -n '__fish_seen_subcommand_from mount umount reload check' -F
complete -c scopefs-exec -n __fish_use_subcommand -a session
complete -c scopefs-exec -n '__scopefs_session 2' -f -a 'list close'
complete -c scopefs-exec -n '__scopefs_session 3' -f -a '(scopefs-exec session list --json 2>/dev/null | sed -n "s/^{\"scope\":\"\([^\"]*\)\".*/\1/p" | sort -u)'
complete -c scopefs-exec -n '__scopefs_session 4' -f -a '(scopefs-exec session list --json (commandline -opc)[4] 2>/dev/null | sed -n "s/^{\"scope\":\"[^\"]*\",\"name\":\"\([^\"]*\)\".*/\1/p")'
for program in scopefs-exec scopefs-mcp
    complete -c $program -n 'string match -q -- "-*" (commandline -ct)' -a '(__scopefs_options)'
    complete -c $program -s c -l config -r -F
    complete -c $program -n 'not __scopefs_scope >/dev/null; and not contains session (commandline -opc)' -a '(__scopefs_scopes)'
end
