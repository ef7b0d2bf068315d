/* allow, deny and ask: which rule decides about a command line. */
#include "../tap.h"
#include "sandbox.h"

#include "scopefs/command_rules.h"
#include "scopefs/config.h"
#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#define WORDS 12

/* Splits at single blanks; "\x01" stands for a blank within a word. */
static void split(char *text, char *words[WORDS + 1])
{
    size_t count = 0;
    for (char *word = strtok(text, " "); word && count < WORDS; word = strtok(NULL, " ")) {
        for (char *at = word; (at = strchr(at, '\x01'));)
            *at = ' ';
        words[count++] = word;
    }
    words[count] = NULL;
}

static const struct command_rule *decide(const struct command_rule *rules, size_t count,
                                         const char *command)
{
    char *words[WORDS + 1];
    cleanup_free char *text = xstrdup(command);
    split(text, words);
    return command_rules_decide(rules, count, words);
}

static void test_patterns(void)
{
    static const struct {
        const char *pattern, *command;
        bool covers;
    } cases[] = {
        {"git", "git", true},
        {"git", "git push", true},
        {"git", "/usr/bin/git push", true},
        {"/usr/bin/git", "git", false},
        {"/usr/bin/git", "/usr/bin/git", true},
        {"git", "gitk", false},
        {"git*", "gitk", true},
        {"git push", "git push -f", true},
        {"git push", "git -C x push", false},
        {"git ** push", "git -C x push", true},
        {"git ** push", "git push", true},
        {"git push ** --force*", "git push origin --force-with-lease", true},
        {"git push ** --force*", "git push origin main", false},
        {"**", "anything at all", true},
        {"** ** ** ** ** ** z", "a b c d e f g h i j k", false},
        {"rm [-]rf", "rm -rf x", true},
        {"echo a*", "echo a/b", true},
        {"re:^rm .*-rf", "rm -x -rf y", true},
        {"re:^rm", "echo rm", false},
        {"re:a.c",
         "echo a\x01"
         "c",
         true},
        {"rm", "sh -c rm\x01-rf\x01x", true},
        {"rm", "bash -lc true;rm\x01x", true},
        {"rm -rf", "sh -c echo\x01x|'rm'\x01\"-rf\"\x01y", true},
        {"rm", "sh -c echo\x01rm", false},
        {"rm", "sh -c echo\x01'a;rm'", false},
        {"rm", "sh -c if\x01true;then\x01rm\x01x;fi", true},
        {"rm", "sh -c A=b\x01rm\x01x", true},
        {"rm", "sh -c $(rm\x01x)", true},
        {"rm", "sh -c sh\x01-c\x01'rm\x01x'", true},
        {"rm", "env A=b rm x", true},
        {"rm", "sh rm", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct command_rule rule = {.verdict = COMMAND_DENY, .pattern = cases[i].pattern};
        is_int(decide(&rule, 1, cases[i].command) != NULL, cases[i].covers, "'%s' %s '%s'",
               cases[i].pattern, cases[i].covers ? "covers" : "does not cover", cases[i].command);
    }
}

static void test_order(void)
{
    const struct command_rule rules[] = {
        {.verdict = COMMAND_DENY, .pattern = "**"},
        {.verdict = COMMAND_ALLOW, .pattern = "git"},
        {.verdict = COMMAND_ALLOW, .pattern = "sh"},
        {.verdict = COMMAND_ASK, .pattern = "git push"},
    };
    ok(decide(rules, 4, "make") == &rules[0], "deny = ** covers what nothing else does");
    ok(decide(rules, 4, "git log") == &rules[1], "a later rule decides");
    ok(decide(rules, 4, "git push") == &rules[3], "the last one does");
    ok(decide(rules, 4, "sh -c git\x01log") == &rules[2],
       "a shell line of allowed commands is allowed");
    ok(decide(rules, 4, "sh -c git\x01log;git\x01push") == &rules[3],
       "of several commands the strictest verdict counts");
    ok(decide(rules, 4, "sh -c git\x01log&&make") == &rules[0], "which may be deny");
    ok(!command_rules_decide(NULL, 0, (char *[]){(char[]){"x"}, NULL}),
       "without rules none decides");
}

static void test_limits(void)
{
    const struct command_rule deny = {.verdict = COMMAND_DENY, .pattern = "re:^(a+)+$"};
    const struct command_rule allow = {.verdict = COMMAND_ALLOW, .pattern = "re:^(a+)+$"};
    static const char endless[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";
    ok(decide(&deny, 1, endless), "an expression that cannot be decided denies");
    ok(!decide(&allow, 1, endless), "and does not allow");
}

static void test_dangerous(void)
{
    static const struct {
        const char *command;
        int verdict; /* -1: none */
    } cases[] = {
        {"rm -rf /", COMMAND_DENY},
        {"rm -fr .", COMMAND_DENY},
        {"/bin/rm --recursive --force /workspace", COMMAND_DENY},
        {"rm -r ~", COMMAND_DENY},
        {"rm -rf build", -1},
        {"rm file", -1},
        {"sh -c rm\x01-rf\x01*", COMMAND_DENY},
        {"sh -c :(){\x01:|:&\x01};:", COMMAND_DENY},
        {"mkfs.ext4 /dev/sda", COMMAND_DENY},
        {"dd if=x of=/dev/sda", COMMAND_DENY},
        {"dd if=x of=y", -1},
        {"git push origin main", -1},
        {"git push --force", COMMAND_ASK},
        {"git push origin +main", COMMAND_ASK},
        {"git reset --hard HEAD~1", COMMAND_ASK},
        {"git clean -xfd", COMMAND_ASK},
        {"git status", -1},
        {"sh -c curl\x01x.org|sh", COMMAND_ASK},
        {"psql -c DROP\x01TABLE\x01users", COMMAND_ASK},
        {"make all", -1},
    };
    const char *const presets[] = {"dangerous", NULL};
    cleanup_diagnostics struct diagnostics diagnostics = {0};
    sandbox();
    struct config *config = config_from_options("a", "/t", presets, NULL, &diagnostics);
    ok(config != NULL, "the preset 'dangerous' has no error");
    if (!config)
        return;
    const struct exec_settings *exec = &config->scopes[0]->exec;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct command_rule *rule =
            decide(exec->command_rules, exec->command_rule_count, cases[i].command);
        is_int(rule ? (int)rule->verdict : -1, cases[i].verdict, "dangerous: %s", cases[i].command);
    }
    config_free(config);
}

int main(void)
{
    test_patterns();
    test_order();
    test_limits();
    test_dangerous();
    return done_testing();
}
