/* Fuzz target: the reader of ini files, from the bytes of a file to rules that decide. The input is
 * the file. */
#include "fuzz.h"

#include "scopefs/config.h"
#include "scopefs/policy_pack.h"
#include "scopefs/strbuf.h"

#include <stdbool.h>
#include <string.h>

static const char *const paths[] = {"", "a", "a/b", "src/.env", ".git/hooks/x", "\xff", "a/./b//c"};

/* A policy that went to another process decides as before. */
static void check_copy(const struct policy *policy)
{
    cleanup_strbuf struct strbuf packed = {0};
    policy_pack(policy, &packed);
    struct policy_copy *copy = policy_unpack(packed.bytes, packed.length);
    fuzz_check(copy, "a packed policy was not taken");
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        size_t length = strlen(paths[i]);
        enum level own = state_level(policy_find(policy, paths[i], length));
        enum level copied = state_level(policy_find(policy_copy_policy(copy), paths[i], length));
        fuzz_check(own == copied, "'%s' is %s, in the copy %s", paths[i], level_name(own),
                   level_name(copied));
    }
    policy_copy_free(copy);
}

static void check_explanations(const struct policy *policy)
{
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct explanation explanation;
        size_t length = strlen(paths[i]);
        fuzz_check(policy_explain(policy, paths[i], length, &explanation), "'%s' is not explained",
                   paths[i]);
        fuzz_check(explanation.verdict.level == state_level(policy_find(policy, paths[i], length)),
                   "'%s' is explained as something else", paths[i]);
        explanation_free(&explanation);
    }
}

/* Every error has a place in the file, and nothing is loaded from a file with one. */
static void check_findings(const struct config *config, const struct diagnostics *found,
                           size_t lines)
{
    fuzz_check(!config == (found->errors > 0), "%zu errors, and %s loaded", found->errors,
               config ? "something" : "nothing");
    for (size_t i = 0; i < found->count; i++) {
        fuzz_check(found->items[i].line <= lines, "line %u of %zu", found->items[i].line, lines);
        fuzz_check(!strchr(found->items[i].message, '\n'), "a message of two lines");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t lines = 1;
    cleanup_diagnostics struct diagnostics found = {0};
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    struct config *config = config_load(fuzz_file(data, size), &found);
    check_findings(config, &found, lines);
    for (size_t i = 0; config && i < config->scope_count; i++) {
        check_explanations(config->scopes[i]->policy);
        check_copy(config->scopes[i]->policy);
    }
    config_free(config);
    return 0;
}
