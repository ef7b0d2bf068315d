/* Whatever is wrong in a file is refused, each with its line and column and the mend. */
#include "../tap.h"
#include "sandbox.h"

#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

/* A text with one or more errors. `expected` has one "LINE:COLUMN: part of the message" per line;
 * these and no others must come. */
struct bad_text {
    const char *about;
    const char *text;
    const char *expected;
};

#define SCOPE "[scope a]\nsource = /s\n"
#define RULES SCOPE "[rules a]\n"

#define TEN_BYTES     "0123456789"
#define FIFTY_BYTES   TEN_BYTES TEN_BYTES TEN_BYTES TEN_BYTES TEN_BYTES
#define HUNDRED_BYTES FIFTY_BYTES FIFTY_BYTES

static const struct bad_text inih_traps[] = {
    {"a line over inih's buffer, whose tail would be a line of its own",
     RULES "none = " HUNDRED_BYTES FIFTY_BYTES TEN_BYTES TEN_BYTES TEN_BYTES TEN_BYTES "x[rules a]",
     "4:199: line is too long: 207 bytes of at most 198"},
    {"a comment over the buffer, whose tail would be a line",
     SCOPE "; " HUNDRED_BYTES FIFTY_BYTES TEN_BYTES TEN_BYTES TEN_BYTES TEN_BYTES "01234567",
     "3:199: line is too long"},
    {"a ' ;' in a pattern", RULES "none = a ;b", "4:10: ';' a comment or part of the pattern"},
    {"a ' #' in a pattern", RULES "none = a #b", "4:10: '#' a comment or part of the pattern"},
    {"a comment behind a pattern", RULES "none = a ; b", "4:10: comment on a line of its own"},
    {"a ';' that ends a pattern", RULES "none = a ;", "4:10: comment on a line of its own"},
    {"a tab before ';' in a pattern", RULES "none = a\t;b", "4:10: part of the pattern"},
    {"a pattern that begins with ';'", RULES "none = ;b", "4:8: Quote the value"},
    {"a pattern that begins with '#'", RULES "none = #b", "4:8: Quote the value"},
    {"a pattern that begins with ';' right behind '='", RULES "none =;b", "4:7: Quote the value"},
    {"a comment in a ceiling", SCOPE "[ceiling a]\nnone = a # x", "4:10: part of the pattern"},
    {"a '#' in a value that is no comment", "[scope a]\nsource = /a #b",
     "2:13: part of the value? Quote the value, or put a blank behind '#'"},
    {"a ';' in a value that is no comment", "[scope a]\nsource = /a ;b",
     "2:13: part of the value? Quote the value, or put a blank behind ';'"},
    {"a value that begins with '#'", SCOPE "[exec a]\nenv.COLOR = #fff", "4:13: Quote the value"},
    {"a section that is not closed, where inih stays in the one before", SCOPE "[rules a\nnone = x",
     "3:1: ']' must close"},
    {"a pattern line that begins with '['", RULES "[a-z]* = none",
     "4:6: text behind the section's ']'"},
    {"a section whose ']' hides behind a comment", SCOPE "[rules ;a]\nnone = x",
     "3:8: a comment begins inside"},
    {"text behind a section's ']'", SCOPE "[rules a] none = x",
     "3:11: text behind the section's ']'"},
    {"a comment right behind ']'", SCOPE "[rules a];x", "3:10: text behind the section's ']'"},
    {"a section name over inih's 50 bytes", "[scope " FIFTY_BYTES "]\nsource = /s",
     "1:51: the section's name is longer than 49 bytes\n0:0: no scope"},
    {"a key over inih's 50 bytes", SCOPE "[exec a]\nenv." FIFTY_BYTES " = x",
     "4:50: the key is longer than 49 bytes"},
    {"':' between key and value", RULES "none : x", "4:6: ':' does not separate"},
    {"':' before '='", RULES "none: x = y", "4:5: ':' does not separate"},
    {"no separator at all", RULES "none", "4:1: put '=' between"},
    {"a continuation line as inih has it", RULES "none = a\n  b", "5:3: put '=' between"},
    {"a key in which inih would see a comment", RULES "none ;x = y", "4:5: the level comes first"},
    {"a byte that stands for ';' in here", RULES "none = \"a\001b\"", "4:10: control character"},
    {"no key", RULES "= x", "4:1: nothing stands before '='"},
    {"no value", "[scope a]\nsource =", "2:9: 'source' has no value"},
    {"an empty quoted value", "[scope a]\nsource = \"\"", "2:11: 'source' has no value"},
    {"only a comment as value", "[scope a]\nsource = ; x", "2:10: 'source' has no value"},
    {"an unclosed quote", RULES "none = \"a", "4:8: the quote is never closed"},
    {"a quote closed by an escaped one only", RULES "none = \"a\\\"", "4:8: never closed"},
    {"text behind the quote", RULES "none = \"a\"b", "4:11: text behind the closing quote"},
    {"a comment behind a quoted pattern", RULES "none = \"a\" ; b",
     "4:12: behind the closing quote"},
    {"a second word behind a quoted value", "[scope a]\nsource = \"/a\" b",
     "2:15: text behind the closing quote"},
    {"a section without a name", SCOPE "[]", "3:1: a section without a name"},
    {"a section of blanks", SCOPE "[  ]", "3:1: a section without a name"},
    {"three words in a section", SCOPE "[rules a b]\nnone = a//b",
     "3:10: take the rest out\n4:10: empty name"},
    {"a setting before any section", "none = x\n" SCOPE, "1:1: before the first section"},
};

static const struct bad_text sections_and_keys[] = {
    {"no scope", "", "0:0: no scope in it"},
    {"only comments", "; x\n# y\n", "0:0: no scope in it"},
    {"an unknown section", SCOPE "[rulez a]", "3:2: unknown section 'rulez'; did you mean 'rules'"},
    {"a far-off section", SCOPE "[x y]",
     "3:2: unknown section 'x'; there are: scope, rules, ceiling, exec"},
    {"a preset's section", SCOPE "[preset]", "3:2: unknown section 'preset'"},
    {"no scope name", "[scope]\nsource = /s\n", "1:2: write [scope NAME]\n0:0: no scope"},
    {"rules without a scope name", SCOPE "[rules]", "3:2: write [rules NAME]"},
    {"a scope name that begins with a dot", "[scope .a]\nsource = /s",
     "1:8: cannot be\n0:0: no scope"},
    {"a scope name that begins with '-'", "[scope -a]\nsource = /s",
     "1:8: cannot be\n0:0: no scope"},
    {"a scope name with a slash", "[scope a/b]\nsource = /s", "1:8: cannot be\n0:0: no scope"},
    {"a scope name over 40 bytes", "[scope " TEN_BYTES TEN_BYTES TEN_BYTES TEN_BYTES "x]",
     "1:8: cannot be\n0:0: no scope"},
    {"a scope twice", SCOPE "[scope a]\nsource = /t\nuser = -",
     "3:2: already there in line 1\n5:8: cannot be a user's name"},
    {"rules for a scope that is not there", SCOPE "[rules ab]\nnone = x",
     "3:8: [rules ab] is for a scope that is not there; did you mean 'a'?"},
    {"a ceiling for a scope that is not there", SCOPE "[ceiling other]\nnone = x//y",
     "3:10: there are: a\n4:10: empty name"},
    {"exec for a scope that is not there", SCOPE "[exec b]\ntimeout = 1s", "3:7: not there"},
    {"a scope without a source", "[scope a]\n", "1:2: the scope 'a' has no source"},
    {"an unknown key", SCOPE "sorce = x",
     "3:1: unknown key 'sorce' in [scope]; did you mean 'source'?"},
    {"a far-off key", SCOPE "colour = x",
     "3:1: unknown key 'colour' in [scope]; there are: source, "
     "mount, preset, default, parent, user, submounts, case"},
    {"an unknown level", RULES "reed = x",
     "4:1: unknown level 'reed' in [rules]; did you mean 'read'?"},
    {"a far-off level", RULES "execute = x", "4:1: there are: none, view, read, write"},
    {"a level in capitals", RULES "None = x", "4:1: unknown level 'None'"},
    {"the pattern first", RULES "*.pem = none", "4:1: the level comes first"},
    {"a key with a blank", SCOPE "my source = x", "3:3: a key holds only letters"},
    {"a key twice", SCOPE "source = /t", "3:1: 'source' is already set in line 2"},
    {"a key twice in two sections", SCOPE "[exec a]\ntimeout = 1s\n[exec a]\ntimeout = 2s",
     "6:1: 'timeout' is already set in line 4"},
    {"an unknown default", SCOPE "default = rw",
     "3:11: 'rw' is no value of default; there are: none"},
    {"passthrough", SCOPE "passthrough = on",
     "3:15: 'on' is no value of passthrough; there are: no, auto, yes"},
    {"cache", SCOPE "cache = alone",
     "3:9: 'alone' is no value of cache; write auto, watch, exclusive"},
    {"submounts", SCOPE "submounts = true",
     "3:13: 'true' is no value of submounts; there are: no, yes"},
    {"case", SCOPE "case = exakt", "3:8: did you mean 'exact'?"},
    {"a user's id", SCOPE "user = 1000", "3:8: cannot be a user's name"},
    {"a user's name with a slash", SCOPE "user = a/b", "3:9: cannot be a user's name"},
    {"'..' in a source", "[scope a]\nsource = /a/../b", "2:10: '..' behind a name"},
    {"an unknown preset", SCOPE "preset = sekrets",
     "3:10: unknown preset 'sekrets'; did you mean 'secrets'?"},
    {"a far-off preset", SCOPE "preset = x",
     "3:10: there are: agent-safe, dangerous, development, full-access, read-only, secrets, "
     "view-only"},
    {"two presets in a line", SCOPE "preset = secrets read-only",
     "3:10: several presets take a line each"},
    {"a preset that is a path", SCOPE "preset = ../x", "3:10: cannot be a preset's name"},
    {"network", SCOPE "[exec a]\nnetwork = yes", "4:11: there are: none, host"},
    {"a timeout without a unit", SCOPE "[exec a]\ntimeout = 10", "4:11: 500ms, 30s, 5m, 1h"},
    {"a bad memory limit", SCOPE "[exec a]\nmemory = 10X", "4:10: is no size"},
    {"a memory limit of nothing", SCOPE "[exec a]\nmemory = 0", "4:10: is no size"},
    {"a bad number of processes", SCOPE "[exec a]\npids = 1K", "4:8: is no number"},
    {"processor time without %", SCOPE "[exec a]\ncpu = 50", "4:7: is no share"},
    {"processor time of nothing", SCOPE "[exec a]\ncpu = 0%", "4:7: is no share"},
    {"an unknown strictness", SCOPE "[exec a]\nlimits = none", "4:10: is no value of limits"},
    {"three paths to bind", SCOPE "[exec a]\nro-bind = /a /b /c", "4:11: blank"},
    {"a relative place to bind to", SCOPE "[exec a]\nro-bind = /a b", "4:14: begin with '/'"},
    {"the workspace as the root", SCOPE "[exec a]\nworkspace = /", "4:13: the root"},
    {"a broken expression", SCOPE "[exec a]\ndeny = re:a(b", "4:14: PCRE2 cannot compile"},
    {"an unsafe variable to pass", SCOPE "[exec a]\nenv-pass = LD_PRELOAD",
     "4:12: env-force = LD_PRELOAD"},
    {"a timeout of nothing", SCOPE "[exec a]\ntimeout = 0s", "4:11: is no time"},
    {"a negative timeout", SCOPE "[exec a]\ntimeout = -1s", "4:11: is no time"},
    {"a fraction of a timeout", SCOPE "[exec a]\ntimeout = 1.5s", "4:11: is no time"},
    {"a timeout over any number", SCOPE "[exec a]\ntimeout = 99999999999999999999h",
     "4:11: is no time"},
    {"a timeout over milliseconds", SCOPE "[exec a]\ntimeout = 9999999999999999h",
     "4:11: is no time"},
    {"a variable's name", SCOPE "[exec a]\nenv.1A = x", "4:1: '1A' cannot be a variable's name"},
    {"no variable's name", SCOPE "[exec a]\nenv. = x", "4:1: '' cannot be a variable's name"},
    {"a variable twice", SCOPE "[exec a]\nenv.A = x\nenv.A = y",
     "5:1: 'env.A' is already set in line 4"},
    {"a variable set and passed on", SCOPE "[exec a]\nenv.A = x\nenv-pass = B A",
     "5:14: variable A is already"},
    {"a passed-on variable's name", SCOPE "[exec a]\nenv-pass = A,B", "4:12: 'A,B' cannot be"},
    {"passing on LD_PRELOAD", SCOPE "[exec a]\nenv-pass = PATH LD_PRELOAD",
     "4:17: LD_PRELOAD makes programs run other code"},
    {"passing on BASH_ENV", SCOPE "[exec a]\nenv-pass = BASH_ENV", "4:12: BASH_ENV makes programs"},
    {"an unknown parent", SCOPE "parent = x", "3:10: the parent 'x' is no scope of this file"},
    {"a scope that is its own parent", SCOPE "parent = a", "3:10: is its own parent"},
    {"parents in a circle", SCOPE "parent = b\n[scope b]\nsource = /s\nparent = a",
     "6:10: is its own parent"},
    {"a source outside the parent's", SCOPE "parent = b\n[scope b]\nsource = /s/t",
     "3:10: the source /s does not lie in the parent's source /s/t"},
    {"a source beside the parent's", "[scope a]\nsource = /st\nparent = b\n[scope b]\nsource = /s",
     "3:10: does not lie in"},
    {"every error, not only the first", RULES "nun = x\nnone : y\nnone = a//b\n[scope",
     "4:1: unknown level\n5:6: ':'\n6:10: empty name\n7:1: must close"},
};

static const struct bad_text patterns[] = {
    {"an empty pattern", RULES "none =", "4:7: empty pattern; write /"},
    {"an empty quoted pattern", RULES "none = \"\"", "4:9: empty pattern"},
    {"'!' at the start", RULES "none = !a", "4:8: write \\! for a name"},
    {"'!' at the start of an alternative", RULES "none = {a,!b}", "4:11: '!' is not used here"},
    {"'..'", RULES "none = a/../b", "4:10: '.' and '..' have no meaning"},
    {"'..' alone", RULES "none = ..", "4:8: '.' and '..'"},
    {"'.'", RULES "none = ./a", "4:8: '.' and '..'"},
    {"'..' with backslashes", RULES "none = a/\\.\\.", "4:10: '.' and '..'"},
    {"'..' from braces", RULES "none = a/.{.,b}", "4:10: '.' and '..'"},
    {"two slashes", RULES "none = a//b", "4:10: empty name between two slashes"},
    {"two slashes at the start", RULES "none = //a", "4:9: empty name"},
    {"two slashes at the end", RULES "none = a//", "4:10: empty name"},
    {"two slashes alone", RULES "none = //", "4:9: empty name"},
    {"a backslash at the end", RULES "none = a\\", "4:9: nothing follows the backslash"},
    {"an escaped slash", RULES "none = a\\/b", "4:9: cannot be escaped"},
    {"an unclosed bracket", RULES "none = a[bc", "4:9: '[' is never closed"},
    {"a bracket closed by its first ']' only", RULES "none = []", "4:8: '[' is never closed"},
    {"a negated one", RULES "none = [!]", "4:8: '[' is never closed"},
    {"a backslash at the end of a bracket", RULES "none = [a\\", "4:10: nothing follows"},
    {"a slash in a bracket", RULES "none = [a/b]", "4:10: '/' inside [...]"},
    {"an escaped slash in a bracket", RULES "none = [a\\/b]", "4:11: '/' inside [...]"},
    {"a reversed range", RULES "none = x[z-a]", "4:10: the range is reversed"},
    {"an unknown class", RULES "none = [x[:foo:]]", "4:10: unknown character class"},
    {"an empty class", RULES "none = [[::]]", "4:9: unknown character class"},
    {"an unclosed brace", RULES "none = a{b,c", "4:9: '{' is never closed"},
    {"an unclosed inner brace", RULES "none = {a,{b,c}", "4:8: '{' is never closed"},
    {"'}' without '{'", RULES "none = a}", "4:9: '}' without '{'"},
    {"a single alternative", RULES "none = a{b}", "4:9: braces with a single alternative"},
    {"an empty single alternative", RULES "none = a{}", "4:9: braces with a single alternative"},
    {"a single inner alternative", RULES "none = {a,{b}}",
     "4:11: braces with a single alternative"},
    {"an alternative that leaves nothing", RULES "none = {a,}", "4:11: leaves an empty pattern"},
    {"too many alternatives",
     RULES "none = {0,1}{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}",
     "4:8: more than 1024 patterns"},
    {"an error behind escaped quotes", RULES "none = \"\\\"\\\"a//b\"", "4:15: empty name"},
    {"an error behind an escape", RULES "none = \"\\\\\\\"//b\"", "4:14: empty name"},
    {"an error in the ceiling", SCOPE "[ceiling a]\n  none  =  a}", "4:13: '}' without '{'"},
};

/* --- checking --- */

/* Whether the finding is what the line of `expected` says. */
static bool is_expected(const struct diagnostic *item, const char *line, size_t length)
{
    cleanup_free char *text = xmemdup0(line, length);
    unsigned at_line, at_column;
    int used = 0;
    if (sscanf(text, "%u:%u: %n", &at_line, &at_column, &used) != 2)
        return false;
    return item->line == at_line && item->column == at_column && strstr(item->message, text + used);
}

/* Each line of `expected` is among the findings; false with a word about it when one is not. */
static bool all_found(const struct diagnostics *found, const char *expected, size_t *lines)
{
    bool all = true;
    for (const char *line = expected; *line; ++*lines) {
        size_t length = strcspn(line, "\n");
        bool here = false;
        for (size_t i = 0; i < found->count; i++)
            here = here || is_expected(&found->items[i], line, length);
        if (!here)
            diag("not found: %.*s", (int)length, line);
        all = all && here;
        line += length + (line[length] == '\n');
    }
    return all;
}

static void check(const struct bad_text *bad)
{
    cleanup_diagnostics struct diagnostics found = {0};
    struct config *config = load_text(bad->text, &found);
    size_t lines = 0;
    bool all = all_found(&found, bad->expected, &lines);
    if (!ok(!config && all && found.errors == lines, "refused: %s", bad->about)) {
        cleanup_free char *text = diagnostics_text(&found);
        diag("%s", text);
    }
    config_free(config);
}

static void check_nul(void)
{
    static const char text[] = RULES "none = a\0b\n";
    cleanup_diagnostics struct diagnostics found = {0};
    struct config *config = load_bytes(text, sizeof(text) - 1, &found);
    cleanup_free char *said = diagnostics_text(&found);
    ok(!config, "refused: a NUL byte");
    is_string(said,
              "scopefs.ini:4:9: error: NUL byte; an ini file is text, so take it out (is this the "
              "right file?)\n",
              "a NUL byte is shown at its place");
}

static void check_files(void)
{
    cleanup_diagnostics struct diagnostics missing = {0}, folder = {0}, large = {0};
    cleanup_free char *path = xasprintf("%s/no-such-file.ini", sandbox());
    ok(!config_load(path, &missing) && missing.errors == 1 && missing.items[0].line == 0,
       "refused: a file that is not there");
    ok(!config_load(sandbox(), &folder) && folder.errors == 1, "refused: a folder");
    size_t size = 1024 * 1024 + 1;
    cleanup_free char *bytes = xmalloc(size);
    memset(bytes, '\n', size);
    ok(!load_bytes(bytes, size, &large) && large.errors == 1, "refused: more than 1 MiB");
}

static void check_printing(void)
{
    cleanup_diagnostics struct diagnostics found = {0};
    ok(!load_text(SCOPE "[rules a]\nn\033[31mone = x\n[rules b]\nnone = \"b\033", &found),
       "refused: control characters in keys");
    cleanup_free char *said = diagnostics_text(&found);
    ok(!strchr(said, '\033'), "no control character of a file reaches the terminal");
}

int main(void)
{
    for (size_t i = 0; i < sizeof(inih_traps) / sizeof(inih_traps[0]); i++)
        check(&inih_traps[i]);
    for (size_t i = 0; i < sizeof(sections_and_keys) / sizeof(sections_and_keys[0]); i++)
        check(&sections_and_keys[i]);
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
        check(&patterns[i]);
    check_nul();
    check_files();
    check_printing();
    return done_testing();
}
