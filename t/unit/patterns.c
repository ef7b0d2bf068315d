/* What each kind of pattern covers, by examples. */
#include "../tap.h"
#include "sandbox.h"

#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

struct example {
    const char *pattern;
    const char *covered; /* paths with '|' between them; "." is the root */
    const char *not_covered;
};

static const struct example examples[] = {
    /* where */
    {"a", "a|x/a|x/y/a|a/b|x/a/b/c", ".|b|ab|ba|x|A"},
    {"/a", "a|a/b", "x/a|.|ab"},
    {"/a/", "a|a/b", "x/a"},
    {"a/", "a|x/a|a/b", "b"},
    {"a/b", "a/b|a/b/c", "a|b|x/a/b|a/x/b"},
    {"/a/b", "a/b", "x/a/b"},
    {"/", ".|a|a/b|.x", ""},
    {"**/a", "a|x/a|x/y/a|a/z", "b|xa"},
    {"/**/a", "a|x/a|x/y/a", "b"},
    {"a/**", "a/b|a/b/c", "a|x/a/b"},
    {"/a/**", "a/b", "a|b"},
    {"a/**/b", "a/b|a/x/b|a/x/y/b|a/b/c", "a|b|x/a/b|a/xb"},
    {"a/**/**/b", "a/b|a/x/b", "a"},
    {"**", "a|.a|a/b", "."},
    {"/**", "a|a/b", "."},
    {"**/", "a|a/b", "."},
    {"**/**", "a|a/b", "."},
    {"a/**/", "a/b", "a"},
    {"**/a/**", "a/b|x/a/b", "a|x/a"},
    {"a**b", "ab|axb|x/axyb", "a/b|ax/b"},
    {"a/**b", "a/b|a/xb", "a|a/x/b|xb"},
    {"a**/b", "a/b|ax/b", "b|x/a/b|a/x/b"},
    /* names */
    {"*", "a|.a|a/b", "."},
    {"/*", "a|a/b", "."},
    {"/*/*", "a/b|a/b/c", "a"},
    {"*.c", "a.c|.c|x/a.c|a.c/b", "a.cc|c|a.c.o"},
    {"a*", "a|ab|a.b", "ba|.a"},
    {"a*c", "ac|abc|a.c", "acb|a|c|a/c"},
    {"aa*a", "aaa|aaba", "aa"},
    {"*a*b*", "ab|xaxbx|aab", "ba|a|b"},
    {"*ab*ab", "abab|xabyab|ababab", "ab|abaxb"},
    {"?", "a|b/cd", "ab"},
    {"??", "ab|.a/x", "a|abc"},
    {"a?c", "abc|a.c", "ac|abbc|a/c"},
    {"*?a", "xa|xxa|aa", "a"},
    {".*", ".a|x/.a", "a|a.b"},
    /* brackets */
    {"[ab]", "a|b", "c|ab|[ab]"},
    {"[a-c]x", "ax|bx|cx", "dx|-x|x"},
    {"[!a]", "b|!|A", "a|bb"},
    {"[^a]", "b|^", "a"},
    {"[!a-c]x", "dx|-x", "ax|cx"},
    {"[]a]", "]|a", "b|[]a]"},
    {"[!]a]", "b|[", "]|a"},
    {"[]-a]", "]|^|_|a", "b|\\"},
    {"[a-]", "a|-", "b"},
    {"[-a]", "a|-", "b"},
    {"[a-c-e]", "a|b|c|-|e", "d"},
    {"[\\]]", "]", "\\|a"},
    {"[\\a-c]", "a|b|c", "\\|d"},
    {"[a\\-c]", "a|-|c", "b|\\"},
    {"[a\\]b]", "a|]|b", "\\"},
    {"[*?]", "*|?", "a"},
    {"[{,}]", "{|,|}", "a"},
    {"[[]", "[", "a"},
    {"[[:]", "[|:", "a"},
    {"[[:alpha:]]", "a|Z", "1|_|\xc3"},
    {"[[:digit:]x]*", "1|x|9z", "a"},
    {"[![:space:]]", "a", " |\t"},
    {"[[:upper:]][[:lower:]]", "Ab", "ab|AB"},
    {"[[:xdigit:]]", "a|F|9", "g"},
    {"[[:punct:]]", "!|~", "a| "},
    {"[[:alnum:]-]", "a|1|-", "_"},
    {"[[:cntrl:]]", "\x7f|\x02", "a"},
    {"[[:print:]][[:graph:]][[:blank:]]", " a ", "a  |\x02a "},
    /* escapes */
    {"\\*", "*", "a"},
    {"\\?x", "?x", "ax"},
    {"\\[a]", "[a]", "a"},
    {"\\a\\b", "ab", "\\a\\b"},
    {"\\!a", "!a", "a"},
    {"a\\ ", "a ", "a"},
    {"\\\\", "\\", "a"},
    {"\\{a,b\\}", "{a,b}", "a|b"},
    {"a\\,b", "a,b", "a"},
    {"a,b", "a,b", "a|b"},
    /* braces */
    {"{a,b}", "a|b|x/a|a/y", "c|ab|{a,b}"},
    {"x{a,b}y", "xay|xby", "xy|xaby"},
    {"a{,b}", "a|ab", "b"},
    {"{a,b}{c,d}", "ac|ad|bc|bd", "ab|a|c"},
    {"{a,{b,c}d}", "a|bd|cd", "b|d|c"},
    {"{a,b/c}", "a|x/a|b/c", "b|c|x/b/c"},
    {"/{a,b}", "a|b", "x/a"},
    {"{/a,b}", "a|b|x/b", "x/a"},
    {"a/{b,c/d}", "a/b|a/c/d", "a|a/c|b"},
    {"a/{,b}", "a|x/a|a/b", "b"},
    {"{*.c,*.h}", "a.c|a.h", "a.o"},
    {"{a,b}/**/c", "a/c|b/x/c", "c|a"},
    {"{[,],b}", ",|b", "["},
    {"{a\\,b,c}", "a,b|c", "a|b"},
    {"{a\\},b}", "a}|b", "a"},
    {"*.{j,t}s{,x}", "a.js|a.tsx", "a.s|a.jx"},
    {"{**/a,b}/c", "a/c|x/a/c|b/c", "x/b/c"},
    /* bytes */
    {"\xff*", "\xff|\xff\xfe", "a"},
    {"?", "\xff", "\xc3\xa4"},
    {"[\xe0-\xff]", "\xe4|\xff", "a|\xdf"},
    {"[!a]", "\xff", "a"},
};

static struct config *load_pattern(const char *pattern, const char *more)
{
    cleanup_strbuf struct strbuf text = {0};
    strbuf_add_format(&text, "[scope s]\nsource = /s\n%s\n[rules s]\nview = \"%s\"\n", more,
                      pattern);
    return must_load(text.bytes);
}

static void check_paths(const struct config *config, const struct example *example,
                        const char *paths, const char *expected)
{
    for (const char *at = paths; *at;) {
        size_t length = strcspn(at, "|");
        cleanup_free char *path = xmemdup0(at, length);
        if (length)
            is_string(level_of(config, "s", strcmp(path, ".") ? path : ""), expected,
                      "'%s' %s '%s'", example->pattern,
                      *expected == 'v' ? "covers" : "does not cover", path);
        at += length + (at[length] == '|');
    }
}

static void check_examples(void)
{
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        struct config *config = load_pattern(examples[i].pattern, "");
        check_paths(config, &examples[i], examples[i].covered, "view");
        check_paths(config, &examples[i], examples[i].not_covered, "none");
        config_free(config);
    }
}

static const struct example folding[] = {
    {"Secrets", "secrets|SECRETS|a/sEcReTs/b", "secret"},
    {"*.PEM", "a.pem|A.Pem", "a.pe"},
    {"a*Z", "AbZ|abz", "ab"},
    {"[a-c]?[X]", "B1x|c2X", "d1x"},
    {"[!A]x", "bx|BX", "ax|AX"},
    {"x[[:upper:]]*y", "xay|XBcY", "x1y"},
    {"[_-a]", "A|a|_", "b"},
};

static void check_case(void)
{
    for (size_t i = 0; i < sizeof(folding) / sizeof(folding[0]); i++) {
        struct config *config = load_pattern(folding[i].pattern, "case = ignore");
        check_paths(config, &folding[i], folding[i].covered, "view");
        check_paths(config, &folding[i], folding[i].not_covered, "none");
        config_free(config);
    }
    struct config *config = load_pattern("/", "case = ignore\ndefault = write");
    const struct state *folded = policy_find(config->scopes[0]->policy, "a\xc3\x9f/x", 5);
    is_int(state_level(folded), LEVEL_NONE, "with case = ignore a name beyond ASCII is hidden");
    is_int(state_reach(folded), LEVEL_NONE, "and everything below it");
    is_string(level_of(config, "s", "ass"), "view", "others are not");
    config_free(config);
}

/* Names that make a matcher which goes back at every star try for ages. */
static void check_hard_names(void)
{
    char name[256];
    memset(name, 'a', 255);
    name[255] = '\0';
    struct config *config = load_pattern("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b*a*c", "");
    is_string(level_of(config, "s", name), "none", "many stars on a long name end");
    config_free(config);
    config = load_pattern("*a?a*[ab]*a*a*a*a*a*a*a*a*a*a*a*a*a*a*?", "");
    is_string(level_of(config, "s", name), "view", "and match within the limits");
    config_free(config);
}

static void check_limits(void)
{
    struct config *config = load_pattern("{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}", "");
    is_string(level_of(config, "s", "0110011001"), "view", "1,024 alternatives are allowed");
    is_string(level_of(config, "s", "011001100"), "none", "and match only themselves");
    config_free(config);
}

static void check_paths_given(void)
{
    struct config *config = load_pattern("/a/b", "");
    const struct policy *policy = config->scopes[0]->policy;
    static const char *const same[] = {"a/b", "/a/b", "a//b/", "./a/./b/.", "//a///b//"};
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        ok(policy_find(policy, same[i], strlen(same[i])) == policy_find(policy, "a/b", 3),
           "'%s' is the path a/b", same[i]);
    static const char *const refused[] = {"..", "a/..", "../a", "a/../b", "/.."};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        ok(!policy_find(policy, refused[i], strlen(refused[i])), "'%s' has no meaning", refused[i]);
    ok(policy_find(policy, "...", 3), "'...' is a name");
    ok(policy_find(policy, "", 0) == policy_root(policy), "the empty path is the root");
    config_free(config);
}

int main(void)
{
    check_examples();
    check_case();
    check_hard_names();
    check_limits();
    check_paths_given();
    return done_testing();
}
