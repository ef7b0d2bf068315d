/* What a file says arrives as it is meant, whatever inih would make of it alone. */
#include "../tap.h"
#include "sandbox.h"

#include "scopefs/mem.h"

#include <limits.h>
#include <unistd.h>

#define SCOPE "[scope a]\nsource = /s\n"
#define RULES SCOPE "[rules a]\n"

/* The pattern of the first rule of the scope that covers `path`. */
static char *pattern_covering(const struct config *config, const char *path)
{
    struct explanation explanation;
    policy_explain(config->scopes[0]->policy, path, strlen(path), &explanation);
    char *pattern = explanation.count ? xstrdup(explanation.matches[0].rule->pattern) : NULL;
    explanation_free(&explanation);
    return pattern;
}

struct pattern_text {
    const char *about, *text, *path, *pattern;
};

static const struct pattern_text pattern_texts[] = {
    {"a ' ;' inside quotes", RULES "view = \"a ;b\"", "a ;b", "a ;b"},
    {"a ' #' inside quotes", RULES "view = \"a #b\"", "a #b", "a #b"},
    {"a quoted '; '", RULES "view = \"; b\"", "; b", "; b"},
    {"a quoted '#'", RULES "view = \"#b#\"", "#b#", "#b#"},
    {"several protected semicolons", RULES "view = \"a ; ; ;b\"", "a ; ; ;b", "a ; ; ;b"},
    {"a ';' without a blank", RULES "view = a;b#c", "a;b#c", "a;b#c"},
    {"an escaped quote inside quotes", RULES "view = \"a\\\"b\"", "a\"b", "a\"b"},
    {"a quote that does not begin the value", RULES "view = a\"b", "a\"b", "a\"b"},
    {"other backslashes stay for the pattern", RULES "view = \"a\\*\\\\\"", "a*\\", "a\\*\\\\"},
    {"blanks at the ends, in quotes", RULES "view = \" a \"", " a ", " a "},
    {"blanks at the ends go without quotes", RULES "view =   a b  \t", "a b", "a b"},
    {"'=' and ':' and '[' in a pattern", RULES "view = [a]=b:c", "a=b:c", "[a]=b:c"},
    {"a pattern that begins with '='", RULES "view == b", "= b", "= b"},
    {"an indented line", RULES "none = x\n    view = a", "a", "a"},
    {"an indented section and scope", "  [scope a]\n\tsource = /s\n \t[rules a]\n\t view = a", "a",
     "a"},
    {"CRLF", "[scope a]\r\nsource = /s\r\n[rules a]\r\nview = a\r\n", "a", "a"},
    {"a byte order mark", "\xef\xbb\xbf[scope a]\nsource = /s\n[rules a]\nview = a\n", "a", "a"},
    {"no newline at the end", RULES "view = a", "a", "a"},
    {"full-line comments", "; x\n" RULES "# none = a\n  ; none = a\nview = a\n#", "a", "a"},
    {"a comment behind a section", SCOPE "[rules a] ; x [y]\nview = a", "a", "a"},
    {"a comment right behind its ';'", SCOPE "[rules a] ;x\nview = a", "a", "a"},
    {"blanks in a section's brackets", SCOPE "[ rules\t a ]\nview = a", "a", "a"},
    {"bytes that are no UTF-8", RULES "view = \xff\xfe", "\xff\xfe", "\xff\xfe"},
    {"rules before their scope", "[rules a]\nview = a\n" SCOPE, "a", "a"},
    {"an escaped brace", RULES "view = \\{a\\}", "{a}", "\\{a\\}"},
};

static void check_patterns(void)
{
    for (size_t i = 0; i < sizeof(pattern_texts) / sizeof(pattern_texts[0]); i++) {
        const struct pattern_text *row = &pattern_texts[i];
        struct config *config = must_load(row->text);
        cleanup_free char *pattern = pattern_covering(config, row->path);
        is_string(pattern, row->pattern, "%s", row->about);
        config_free(config);
    }
}

static void check_longest_line(void)
{
    char text[512], name[256];
    memset(name, 'x', sizeof(name));
    snprintf(text, sizeof(text), RULES "view = %.191s\n", name);
    struct config *config = must_load(text);
    name[191] = '\0';
    is_string(level_of(config, "a", name), "view", "a line of 198 bytes is whole");
    config_free(config);
}

static void check_places(void)
{
    struct config *config =
        must_load("\n[rules a]\n  view  =  \"a\"\n" SCOPE "[ceiling a]\nread=/");
    const struct state *state = policy_find(config->scopes[0]->policy, "a", 1);
    struct verdict verdict = state_verdict(state);
    cleanup_free char *file = xasprintf("%s/scopefs.ini", sandbox());
    is_string(verdict.rule->file, file, "a rule knows its file");
    is_int(verdict.rule->line, 3, "a rule knows its line");
    is_int(verdict.rule->column, 13, "a rule knows the column of its pattern");
    is_int(config->scopes[0]->place.line, 4, "a scope knows its line");
    is_string(config->file, file, "the configuration knows its file");
    config_free(config);
}

static const char scope_text[] = "[scope full]\n"
                                 "source = /srv//shop/./x/ ; comment\n"
                                 "mount = \"/mnt/a ;b\" # comment\n"
                                 "default = read\n"
                                 "user = agent-a\n"
                                 "submounts = yes\n"
                                 "passthrough = auto\n"
                                 "cache = exclusive\n"
                                 "case = ignore\n"
                                 "[scope bare]\n"
                                 "source = sub/dir ;\n"
                                 "[scope home]\n"
                                 "source = ~/p\n"
                                 "[scope up]\n"
                                 "source = ../p\n"
                                 "[scope here]\n"
                                 "source = .\n"
                                 "[scope tilde]\n"
                                 "source = ~\n";

static void check_scope_keys(void)
{
    setenv("HOME", "/home/me", 1);
    struct config *config = must_load(scope_text);
    const struct scope *full = config->scopes[0], *bare = config->scopes[1];
    is_int(config->scope_count, 6, "all scopes are there");
    is_string(full->name, "full", "scopes are in file order");
    is_string(full->source, "/srv/shop/x", "a source loses '//', '.' and the slash at its end");
    is_string(full->mount, "/mnt/a ;b", "a mount, quoted, with a comment behind it");
    is_string(full->user, "agent-a", "user");
    ok(full->submounts && full->ignore_case, "submounts and case");
    is_int(full->passthrough, PASSTHROUGH_AUTO, "passthrough");
    ok(full->exclusive && full->watching == WATCH_POLITELY, "cache");
    ok(!bare->exclusive && bare->watching == WATCH_POLITELY, "cache, when nothing is said of it");
    is_string(level_of(config, "full", "x"), "read", "default");
    cleanup_free char *relative = xasprintf("%s/sub/dir", sandbox());
    is_string(bare->source, relative, "a relative source is relative to the file");
    ok(!bare->mount && !bare->user && !bare->parent && !bare->submounts && !bare->ignore_case,
       "what is not said has its default");
    is_string(level_of(config, "bare", "x"), "none", "the default level is none");
    is_string(config->scopes[2]->source, "/home/me/p", "~/ is the home directory");
    is_string(config->scopes[3]->source, "/tmp/p", "a leading '..' is the folder above the file's");
    is_string(config->scopes[4]->source, sandbox(), "'.' is the file's folder");
    is_string(config->scopes[5]->source, "/home/me", "~ alone is the home directory");
    config_free(config);
}

static void check_exec_keys(void)
{
    struct config *config = must_load(SCOPE "[exec a] ; how\n"
                                            "network = host ; open\n"
                                            "timeout = 90s\n"
                                            "env.PYTHONPATH = /workspace/lib ; libraries\n"
                                            "env.EMPTY =\n"
                                            "env.NOTHING = \"\"\n"
                                            "env.LD_PRELOAD = x\n"
                                            "env.TEXT = \" a ;b \\\" \"\n"
                                            "env-pass = LANG  TERM ; both\n"
                                            "env-pass = PATH\n"
                                            "[scope b]\nsource = /t\n");
    const struct exec_settings *exec = &config->scopes[0]->exec;
    is_int(exec->network, NETWORK_HOST, "network");
    is_int(exec->timeout_ms, 90000, "timeout");
    is_int(exec->env_count, 8, "every variable");
    is_string(exec->env[0].name, "PYTHONPATH", "a variable's name");
    is_string(exec->env[0].value, "/workspace/lib", "a variable's value without the comment");
    is_string(exec->env[1].value, "", "an empty value");
    is_string(exec->env[2].value, "", "an empty quoted value");
    is_string(exec->env[3].name, "LD_PRELOAD", "the owner may set what may not be passed on");
    is_string(exec->env[4].value, " a ;b \" ", "a quoted value keeps blanks, ';' and quotes");
    ok(strcmp(exec->env[5].name, "LANG") == 0 && !exec->env[5].value, "a passed-on variable");
    is_string(exec->env[7].name, "PATH", "a second line of passed-on variables");
    const struct exec_settings *other = &config->scopes[1]->exec;
    ok(other->network == NETWORK_NONE && other->timeout_ms == 0 && other->env_count == 0,
       "without [exec] there is no network, no timeout, no variable");
    config_free(config);
}

static void check_timeouts(void)
{
    static const struct {
        const char *text;
        unsigned long expected;
    } rows[] = {{"1ms", 1},       {"2s", 2000},      {"3m", 180000},
                {"4h", 14400000}, {"2d", 172800000}, {"0", 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cleanup_free char *text = xasprintf(SCOPE "[exec a]\ntimeout = %s\n", rows[i].text);
        struct config *config = must_load(text);
        is_int(config->scopes[0]->exec.timeout_ms, rows[i].expected, "timeout %s", rows[i].text);
        config_free(config);
    }
}

static void check_limits(void)
{
    struct config *config = must_load(SCOPE "[exec a]\n"
                                            "memory = 64M\npids = 20\ncpu = 150%\n"
                                            "file-size = 1G\nopen-files = 100\ntmp-size = 5K\n"
                                            "max-output = 10\nkill-after = 500ms\n"
                                            "limits = strict\n"
                                            "[scope b]\nsource = /t\n");
    const struct exec_settings *exec = &config->scopes[0]->exec;
    is_int(exec->limits.memory, 64 << 20, "memory");
    is_int(exec->limits.processes, 20, "pids");
    is_int(exec->limits.cpu_percent, 150, "cpu");
    is_int(exec->limits.file_size, 1 << 30, "file-size");
    is_int(exec->limits.open_files, 100, "open-files");
    is_int(exec->limits.tmp_size, 5120, "tmp-size");
    is_int(exec->limits.max_output, 10, "max-output");
    is_int(exec->kill_after_ms, 500, "kill-after");
    ok(exec->limits.strict, "limits = strict");
    is_int(config->scopes[1]->exec.kill_after_ms, KILL_AFTER_MS, "kill-after has a default");
    ok(!config->scopes[1]->exec.limits.strict, "limits are not strict by default");
    config_free(config);
}

static void check_nested_env(void)
{
    struct config *config = must_load("[scope child]\nsource = /t/c\nparent = up\n"
                                      "[exec child]\nenv.A = child\nenv-file = secrets.env\n"
                                      "[scope up]\nsource = /t\n"
                                      "[exec up]\nenv.A = up\nenv.B = up\n"
                                      "env-force = LD_PRELOAD\n");
    const struct exec_settings *exec = &config->scopes[0]->exec;
    is_int(exec->env_count, 5, "a nested scope has its parent's variables and its own");
    is_string(exec->env[0].value, "up", "the parent's come first");
    is_string(exec->env[3].value, "child", "its own after them");
    ok(exec->env[2].forced && !exec->env[0].forced, "env-force lets an unsafe name through");
    ok(!exec->env[4].name && strstr(exec->env[4].value, "/secrets.env"),
       "env-file is relative to the ini file");
    is_int(config->scopes[1]->exec.env_count, 3, "a parent has nothing of its child");
    config_free(config);
}

static void check_exec_places(void)
{
    struct config *config = must_load(SCOPE "[exec a]\n"
                                            "ro-bind = /opt/tool\nro-bind = /srv/x /opt/y/\n"
                                            "rootfs = /images/one\nworkspace = /project/\n"
                                            "approver = /usr/bin/ask\n"
                                            "deny = **\nallow = git\n");
    const struct exec_settings *exec = &config->scopes[0]->exec;
    is_int(exec->bind_count, 2, "binds");
    is_string(exec->binds[0].destination, "/opt/tool", "a bind is at its own place by default");
    is_string(exec->binds[1].source, "/srv/x", "the source of another");
    is_string(exec->binds[1].destination, "/opt/y", "and its place");
    is_string(exec->rootfs, "/images/one", "rootfs");
    is_string(exec->workspace, "/project", "workspace");
    is_string(exec->approver, "/usr/bin/ask", "approver");
    is_int(exec->command_rule_count, 2, "command rules");
    is_int(exec->command_rules[1].verdict, COMMAND_ALLOW, "in their order");
    config_free(config);
}

static void check_options(void)
{
    static const char *const presets[] = {"read-only", "secrets", NULL};
    static const char *const rules[] = {"write=/out", "none=a=b", "view={x,y}", NULL};
    static const char *const bad_presets[] = {"read-only", "no-such", "a/b", NULL};
    static const char *const bad_rules[] = {"write=/", "rw=/", "nothing", "none=a//b", NULL};
    cleanup_diagnostics struct diagnostics none = {0}, found = {0};
    struct config *config = config_from_options("view", "/srv", presets, rules, &none);
    if (!ok(config && none.count == 0, "a configuration from options"))
        return;
    is_string(config->scopes[0]->source, "/srv", "its source");
    is_string(level_of(config, "view", "out/z"), "write", "its rules");
    is_string(level_of(config, "view", "a=b"), "none", "a pattern may hold '='");
    is_string(level_of(config, "view", "out/.env"), "none", "its presets' ceilings");
    is_string(level_of(config, "view", "other"), "read", "its presets' rules");
    const struct state *state = policy_find(config->scopes[0]->policy, "y", 1);
    struct verdict verdict = state_verdict(state);
    is_string(verdict.rule->file, "--rule", "a rule's place is the option");
    is_int(verdict.rule->line, 3, "with its position");
    is_int(verdict.rule->column, 6, "and the column of the pattern");
    config_free(config);

    ok(!config_from_options("view", "", bad_presets, bad_rules, &found), "bad options are refused");
    cleanup_free char *said = diagnostics_text(&found);
    is_string(
        said,
        "--source: error: it is empty; name a directory\n"
        "--preset:2:1: error: unknown preset 'no-such'; there are: agent-safe, dangerous, "
        "development, "
        "full-access, read-only, secrets, view-only\n"
        "--preset:3:1: error: 'a/b' cannot be a preset's name: a name is made of letters, "
        "digits, '_', '-' and '.', begins with none of the last two and has at most 40 bytes\n"
        "--rule:2:1: error: unknown level 'rw'; there are: none, view, read, write\n"
        "--rule:3:1: error: 'nothing' is no rule; write LEVEL=PATTERN, such as none=.env\n"
        "--rule:4:8: error: empty name between two slashes; write one slash\n",
        "all of them");
}

static void check_relative_option(void)
{
    cleanup_diagnostics struct diagnostics none = {0};
    char here[PATH_MAX];
    if (chdir(sandbox()) < 0 || !getcwd(here, sizeof(here)))
        return;
    struct config *config = config_from_options("view", "sub", NULL, NULL, &none);
    cleanup_free char *expected = xasprintf("%s/sub", here);
    is_string(config->scopes[0]->source, expected, "a source is relative to the working directory");
    config_free(config);
}

static void check_finding(void)
{
    cleanup_error struct error *error = NULL;
    unlink("scopefs.ini");
    cleanup_free char *nowhere = config_find(&error);
    /* This machine's /etc may have one. */
    ok(nowhere || (error && strstr(error->message, "scopefs.ini")), "where files are looked for");
    cleanup_free char *user = xasprintf("%s/config/scopefs/scopefs.ini", sandbox());
    sandbox_write("config/scopefs/scopefs.ini", "", 0);
    cleanup_free char *found_user = config_find(NULL);
    is_string(found_user, user, "the user's file is found");
    sandbox_write("scopefs.ini", "", 0);
    cleanup_free char *found_here = config_find(NULL);
    is_string(found_here, "./scopefs.ini", "the one in the working directory comes first");
}

static void check_unknown_scope(void)
{
    cleanup_error struct error *error = NULL;
    struct config *config = must_load(SCOPE "[scope b]\nsource = /t\n");
    ok(config_scope(config, "b", NULL) == config->scopes[1], "a scope by its name");
    ok(!config_scope(config, "c", &error) && strstr(error->message, "there are: a, b"),
       "an unknown scope gives the list of those there are");
    config_free(config);
}

static void check_warning(void)
{
    cleanup_diagnostics struct diagnostics found = {0}, none = {0};
    struct config *config = load_text(RULES "write = *.c\nwrite = /x\nnone = *.o\nread = **/y\n"
                                            "view = a/**/b\n",
                                      &found);
    cleanup_free char *said = diagnostics_text(&found);
    const char *warning =
        "this rule makes all directory names visible, because what it matches may "
        "lie in any of them; anchor it with a slash where it belongs";
    cleanup_free char *expected = xasprintf("scopefs.ini:4:9: warning: %s\n"
                                            "scopefs.ini:7:8: warning: %s\n",
                                            warning, warning);
    ok(config != NULL, "a warning is no error");
    is_string(said, expected, "rules that make all directory names visible are named");
    config_free(config);
    config = load_text(RULES "view = /\nwrite = *.c\n", &none);
    is_int(none.count, 0, "not where directories are visible anyway");
    config_free(config);
}

int main(void)
{
    check_patterns();
    check_longest_line();
    check_places();
    check_scope_keys();
    check_exec_keys();
    check_timeouts();
    check_limits();
    check_nested_env();
    check_exec_places();
    check_options();
    check_unknown_scope();
    check_warning();
    check_relative_option();
    check_finding();
    return done_testing();
}
