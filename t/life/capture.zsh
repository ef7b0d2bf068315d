# What zsh would offer for a line, one candidate per line: capture.zsh FOLDER-OF-FUNCTIONS LINE
zmodload zsh/zpty || exit
hits=$PWD/zsh.hits
: >$hits
zpty shell zsh -f -i
zpty -w shell "fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; bindkey '^I' complete-word"
zpty -w shell "compadd() { [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]] && { builtin compadd \"\$@\"; return }
    local -a found; builtin compadd -A found \"\$@\"; print -rl -- \$found >>$hits; builtin compadd \"\$@\" }"
zpty -w shell "finish() { print -- END >>$hits }; comppostfuncs=(finish)"
zpty -w shell "print -- READY >>$hits"
wait_for() { local i; for ((i = 0; i < 1000; i++)); do grep -qx -- $1 $hits && return; sleep 0.01; done }
wait_for READY
zpty -n -w shell "$2"$'\t'
wait_for END
zpty -d shell
sed -e '/^READY$/d' -e '/^END$/d' -e '/^$/d' $hits | sort -u
