/* The plan of a sandbox, as a value: no test here starts anything. */
#include "../tap.h"

#include "../../exec/bwrap_arguments.h"
#include "../../exec/dry_run.h"
#include "../../exec/plan.h"
#include "scopefs/duration.h"
#include "scopefs/mem.h"

static char terminal[] = "TERM=vt100", passed[] = "PASSED=yes", not_passed[] = "PASSEDX=no";
static char *const caller_environment[] = {terminal, passed, not_passed, NULL};
static char program[] = "true";
static char *const command[] = {program, NULL};

/* A host with merged /usr. */
static struct host_facts usual_facts(void)
{
    static char bin[] = "usr/bin", zone[] = "/usr/share/zoneinfo/UTC",
                resolver[] = "../run/systemd/resolve/stub-resolv.conf";
    static char names[][20] = {"/usr",    "/bin",           "/lib64",
                               "/libx32", "/etc/localtime", "/etc/resolv.conf"};
    static struct host_path paths[] = {
        {names[0], names[0], HOST_DIRECTORY, NULL}, {names[1], names[1], HOST_SYMLINK, bin},
        {names[2], names[2], HOST_DIRECTORY, NULL}, {names[3], names[3], HOST_ABSENT, NULL},
        {names[4], names[4], HOST_SYMLINK, zone},   {names[5], names[5], HOST_SYMLINK, resolver},
    };
    return (struct host_facts){.paths = paths,
                               .path_count = sizeof(paths) / sizeof(paths[0]),
                               .uid = 1000,
                               .gid = 100,
                               .environment = caller_environment};
}

static const struct scope bare_scope = {.name = "bare"};

static struct sandbox_request request_for(const struct scope *scope)
{
    return (struct sandbox_request){.scope = scope, .command = command};
}

static bool make(struct sandbox_plan *plan, const struct sandbox_request *request)
{
    cleanup_error struct error *error = NULL;
    struct host_facts facts = usual_facts();
    *plan = (struct sandbox_plan){0};
    bool made = sandbox_plan_make(plan, request, &facts, &error) == 0;
    if (!made)
        note("refused: %s", error->message);
    return made;
}

static const struct sandbox_mount *mount_at(const struct sandbox_plan *plan, const char *place)
{
    for (size_t i = 0; i < plan->mount_count; i++)
        if (strcmp(plan->mounts[i].destination, place) == 0)
            return &plan->mounts[i];
    return NULL;
}

static const char *variable(const struct sandbox_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->variable_count; i++)
        if (strcmp(plan->environment[i].name, name) == 0)
            return plan->environment[i].value;
    return NULL;
}

/* --- What is mounted --- */

static void test_system(void)
{
    cleanup_plan struct sandbox_plan plan;
    struct sandbox_request request = request_for(&bare_scope);
    ok(make(&plan, &request), "a plan for a scope without settings is made");
    const struct sandbox_mount *found = mount_at(&plan, "/usr");
    ok(found && found->kind == SANDBOX_READ_ONLY_BIND, "/usr is bound read-only");
    found = mount_at(&plan, "/bin");
    ok(found && found->kind == SANDBOX_SYMLINK, "/bin is a link where it is one on the host");
    found = mount_at(&plan, "/lib64");
    ok(found && found->kind == SANDBOX_READ_ONLY_BIND, "and bound where it is a directory");
    ok(!mount_at(&plan, "/libx32"), "what the host lacks is left out");
    found = mount_at(&plan, "/etc/localtime");
    ok(found && found->kind == SANDBOX_SYMLINK, "a link into /usr stays a link");
    ok(!mount_at(&plan, "/etc/resolv.conf"), "without a network there is no resolver");
    ok(mount_at(&plan, "/etc/passwd") &&
           strstr(mount_at(&plan, "/etc/passwd")->source, "\nagent:x:1000:100:"),
       "the command's user is in the made-up /etc/passwd");
    found = mount_at(&plan, "/var");
    ok(found && found->kind == SANDBOX_DIRECTORY, "folders above a mount are made");
    found = &plan.mounts[plan.mount_count - 1];
    ok(found->kind == SANDBOX_VIEW, "the view is the last mount");
    is_string(found->destination, "/workspace", "at /workspace");
    sandbox_plan_set_view(&plan, "/run/view");
    is_string(found->source, "/run/view", "from where it is mounted on the host");
}

static void test_network(void)
{
    cleanup_plan struct sandbox_plan without, with;
    struct scope online = {.name = "online", .exec = {.network = NETWORK_HOST}};
    struct sandbox_request request = request_for(&bare_scope);
    ok(make(&without, &request) && !without.share_network, "the network is not shared by default");
    request = request_for(&online);
    ok(make(&with, &request) && with.share_network, "network = host shares it");
    const struct sandbox_mount *found = mount_at(&with, "/etc/resolv.conf");
    ok(found && found->kind == SANDBOX_READ_ONLY_BIND,
       "with the resolver, followed where its link leads outside");
    ok(strstr(mount_at(&with, "/etc/nsswitch.conf")->source, "files dns"), "which is asked");
}

/* --- Environment and the rest --- */

static void test_environment(void)
{
    const struct env_setting settings[] = {{"PASSED", NULL, false},
                                           {"ABSENT", NULL, false},
                                           {"LANG", "de_DE", false},
                                           {"TWICE", "1", false},
                                           {"TWICE", "2", false}};
    const struct scope scope = {.name = "env", .exec = {.env = settings, .env_count = 5}};
    const char *const asked[] = {"TWICE=3", "EMPTY=", "EQUALS=a=b", NULL};
    cleanup_plan struct sandbox_plan plan;
    struct sandbox_request request = request_for(&scope);
    request.environment = asked;
    ok(make(&plan, &request), "a plan with variables is made");
    is_int(plan.variable_count, 10, "nothing else is in the environment");
    is_string(variable(&plan, "TERM"), "vt100", "TERM is the caller's");
    is_string(variable(&plan, "PASSED"), "yes", "a variable is passed on by its whole name");
    ok(!variable(&plan, "ABSENT"), "one that is not there is not made up");
    is_string(variable(&plan, "LANG"), "de_DE", "the scope's value wins over the standard");
    is_string(variable(&plan, "TWICE"), "3", "and the command line's over the scope's");
    is_string(variable(&plan, "EMPTY"), "", "a value may be empty");
    is_string(variable(&plan, "EQUALS"), "a=b", "or hold an equals sign");

    static const char *const bad[] = {"NAME", "=x", ""};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cleanup_plan struct sandbox_plan refused;
        const char *const one[] = {bad[i], NULL};
        request.environment = one;
        ok(!make(&refused, &request), "'%s' is no assignment", bad[i]);
    }
}

static void test_workdir(void)
{
    static const struct {
        const char *wanted, *result;
    } cases[] = {
        {NULL, "/workspace"},
        {"", "/workspace"},
        {"a/b", "/workspace/a/b"},
        {"/workspace", "/workspace"},
        {"/workspace/a", "/workspace/a"},
        {"..a", "/workspace/..a"},
        {"/workspaces", NULL},
        {"/", NULL},
        {"..", NULL},
        {"a/../b", NULL},
        {"/workspace/..", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cleanup_plan struct sandbox_plan plan;
        struct sandbox_request request = request_for(&bare_scope);
        request.workdir = cases[i].wanted;
        bool made = make(&plan, &request);
        is_string(made ? plan.workdir : NULL, cases[i].result, "work folder %s",
                  cases[i].wanted ? cases[i].wanted : "(none)");
    }
}

static void test_timeout(void)
{
    cleanup_plan struct sandbox_plan plan, over;
    struct scope scope = {.name = "time", .exec = {.timeout_ms = 500}};
    struct sandbox_request request = request_for(&scope);
    ok(make(&plan, &request), "a plan with a time limit is made");
    is_int(plan.timeout_ms, 500, "the limit is the scope's");
    request.has_timeout = true;
    ok(make(&over, &request), "a plan with the command line's limit is made");
    is_int(over.timeout_ms, 0, "which may be none");
}

static void test_hostname(void)
{
    cleanup_plan struct sandbox_plan plan;
    struct scope scope = {.name =
                              "a.b_c-0123456789012345678901234567890123456789012345678901234567"};
    struct sandbox_request request = request_for(&scope);
    ok(make(&plan, &request), "a plan for a long name is made");
    is_string(plan.hostname, "a-b-c-012345678901234567890123456789012345678901234567890123456",
              "a scope's name becomes a host name that Linux takes");
}

/* --- The check --- */

static struct sandbox_plan plan_with(enum sandbox_mount_kind kind, const char *place,
                                     const char *other)
{
    struct sandbox_plan plan = {.uid = 1000, .gid = 1000};
    sandbox_plan_add_mount(&plan, kind, place, "/", 0755);
    if (other)
        sandbox_plan_add_mount(&plan, SANDBOX_READ_ONLY_BIND, other, "/", 0);
    sandbox_plan_add_mount(&plan, SANDBOX_VIEW, "/workspace", "/", 0);
    return plan;
}

static void test_check(void)
{
    static const struct {
        enum sandbox_mount_kind kind;
        const char *place, *other;
        bool allowed;
        const char *what;
    } cases[] = {
        {SANDBOX_READ_ONLY_BIND, "/usr", "/usr/local", true, "a bind below a read-only one"},
        {SANDBOX_DIRECTORY, "/opt", "/opt/tool", true, "a bind below a folder of the root"},
        {SANDBOX_TMPFS, "/tmp", "/tmp/x", true, "a bind below a new tmpfs"},
        {SANDBOX_TMPFS, "/tmp", "/tmpfiles", true, "a bind beside it"},
        {SANDBOX_DEV, "/dev", "/dev/shm/x", false, "a bind below /dev"},
        {SANDBOX_VIEW, "/other", "/other/x", false, "a bind below another view"},
        {SANDBOX_READ_ONLY_BIND, "/workspace/x", NULL, false, "the view over another mount"},
        {SANDBOX_READ_ONLY_BIND, "/workspace", NULL, false, "the view in the place of another"},
        {SANDBOX_READ_ONLY_BIND, "/a/b", "/a", false, "a bind over another"},
        {SANDBOX_READ_ONLY_BIND, "/", NULL, false, "a bind over the root"},
        {SANDBOX_READ_ONLY_BIND, "usr", NULL, false, "a relative place"},
        {SANDBOX_READ_ONLY_BIND, "/a/../b", NULL, false, "a place with .."},
        {SANDBOX_READ_ONLY_BIND, "/a//b", NULL, false, "a place with an empty name"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cleanup_plan struct sandbox_plan plan =
            plan_with(cases[i].kind, cases[i].place, cases[i].other);
        is_int(sandbox_plan_check(&plan, NULL) == 0, cases[i].allowed, "%s is %s", cases[i].what,
               cases[i].allowed ? "allowed" : "refused");
    }
    cleanup_plan struct sandbox_plan late = plan_with(SANDBOX_READ_ONLY_BIND, "/usr", NULL);
    sandbox_plan_add_mount(&late, SANDBOX_TMPFS, "/tmp", NULL, 01777);
    ok(sandbox_plan_check(&late, NULL) < 0, "a mount after the view is refused");
    cleanup_plan struct sandbox_plan root = plan_with(SANDBOX_READ_ONLY_BIND, "/usr", NULL);
    root.uid = 0;
    ok(sandbox_plan_check(&root, NULL) < 0, "a command as root is refused");
    cleanup_plan struct sandbox_plan empty = {.uid = 1};
    ok(sandbox_plan_check(&empty, NULL) < 0, "a plan without a view is refused");
}

/* --- bwrap's arguments --- */

static int count_up(void *context, const struct given *given, struct error **error)
{
    (void)given;
    (void)error;
    return (*(int *)context)++;
}

static size_t count_of(const struct strbuf *arguments, const char *wanted)
{
    cleanup_free const char **words = bwrap_arguments_split(arguments);
    size_t count = 0;
    for (const char **word = words; *word; word++)
        count += strcmp(*word, wanted) == 0;
    return count;
}

static void test_arguments(void)
{
    static const char *const once[] = {
        "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts",    "--unshare-cgroup",
        "--unshare-net",  "--cap-drop",    "--new-session", "--disable-userns", "--die-with-parent",
        "--clearenv",     "--seccomp",     "--bind",
    };
    static const char *const never[] = {"--dev-bind", "--share-net", "--cap-add", "--unshare-all",
                                        "--unshare-user-try"};
    cleanup_strbuf struct strbuf arguments = {0}, online = {0};
    cleanup_plan struct sandbox_plan plan;
    struct sandbox_request request = request_for(&bare_scope);
    int next = 10;
    make(&plan, &request);
    sandbox_plan_set_view(&plan, "/run/view");
    ok(bwrap_arguments_add_plan(&arguments, &plan, count_up, &next, NULL) == 0,
       "arguments are made");
    for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++)
        is_int(count_of(&arguments, once[i]), 1, "%s is there once", once[i]);
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        is_int(count_of(&arguments, never[i]), 0, "%s is not there", never[i]);
    plan.share_network = true;
    bwrap_arguments_add_plan(&online, &plan, count_up, &next, NULL);
    is_int(count_of(&online, "--unshare-net"), 0, "a shared network is not unshared");
}

/* --- Words and durations --- */

static void test_quoting(void)
{
    static const struct {
        const char *word, *quoted;
    } cases[] = {
        {"plain-1.2_3/x:y=z", "plain-1.2_3/x:y=z"},
        {"", "''"},
        {"a b", "'a b'"},
        {"it's", "'it'\\''s'"},
        {"$x`y`", "'$x`y`'"},
        {"~", "'~'"},
        {"a\nb", "'a\nb'"},
        {"\xff", "'\xff'"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cleanup_strbuf struct strbuf line = {0};
        dry_run_add_quoted(&line, cases[i].word);
        is_string(line.bytes, cases[i].quoted, "a shell reads '%s' back", cases[i].word);
    }
}

static void test_durations(void)
{
    static const struct {
        const char *text;
        long long milliseconds; /* -1: refused */
    } cases[] = {
        {"0", 0},
        {"0s", -1},
        {"1", -1},
        {"90", -1},
        {"90s", 90000},
        {"5m", 300000},
        {"1h", 3600000},
        {"1d", 86400000},
        {"500ms", 500},
        {"", -1},
        {"s", -1},
        {"-1", -1},
        {" 1", -1},
        {"+1", -1},
        {"1 s", -1},
        {"1S", -1},
        {"1.5s", -1},
        {"0x10", -1},
        {"25d", 2160000000},
        {"99999999999999999999", -1},
        {"18446744073709551615ms", -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned long milliseconds = 0;
        bool parsed = duration_parse(cases[i].text, &milliseconds);
        is_int(parsed ? (long long)milliseconds : -1, cases[i].milliseconds, "duration '%s'",
               cases[i].text);
    }
}

int main(void)
{
    test_system();
    test_network();
    test_environment();
    test_workdir();
    test_timeout();
    test_hostname();
    test_check();
    test_arguments();
    test_quoting();
    test_durations();
    return done_testing();
}
