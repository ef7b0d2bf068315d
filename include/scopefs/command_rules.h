/*
 * Rules over command lines (allow, deny and ask of [exec NAME]). A pattern is made of words, each a
 * glob for the command's word at its place; "**" stands for any number of words, and further words
 * of the command are free: "git push" covers "git push -f". A first word without a slash is
 * compared with the program's name without its folder. "re:" begins a PCRE2 expression over the
 * words with single blanks between them. The line of `sh -c` is looked into, command by command.
 *
 * This keeps an agent from mistakes. It is no wall: a program can be reached by another name.
 */
#ifndef SCOPEFS_COMMAND_RULES_H
#define SCOPEFS_COMMAND_RULES_H

#include "scopefs/config.h"

/* False, with *offset into the pattern and a message, for one that cannot be used. */
bool command_rule_check(const char *pattern, size_t *offset, char *message, size_t size);

/* The last rule that covers the command; of a shell line with several commands, the strictest of
 * theirs. NULL when none does. */
const struct command_rule *command_rules_decide(const struct command_rule *rules, size_t count,
                                                char *const *command);

#endif
