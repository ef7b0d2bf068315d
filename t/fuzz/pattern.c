/* Fuzz target: the pattern compiler and what it makes of names. The input is rules as on the
 * command line ("none=*.key"), an empty line, and paths of any bytes, one per line. */
#include "fuzz.h"
#include "lines.h"

#include "scopefs/config.h"

#include <string.h>

static const struct state *step_by_names(const struct policy *policy, const char *path,
                                         size_t length)
{
    const struct state *state = policy_root(policy);
    for (size_t at = 0; at < length;) {
        const char *slash = memchr(path + at, '/', length - at);
        size_t end = slash ? (size_t)(slash - path) : length;
        if (end > at && !(end == at + 1 && path[at] == '.'))
            state = state_step(state, path + at, end - at);
        at = end + 1;
    }
    return state;
}

/* Names that no directory entry can be are not asked for. */
static void check_path(const struct policy *policy, const char *path, size_t length)
{
    if (memchr(path, '\0', length))
        return;
    struct explanation explanation;
    const struct state *found = policy_find(policy, path, length);
    fuzz_check(policy_explain(policy, path, length, &explanation) == (found != NULL),
               "find and explain disagree");
    if (!found)
        return;
    fuzz_check(found == step_by_names(policy, path, length), "by names it is another state");
    fuzz_check(explanation.verdict.level == state_level(found), "explained as another level");
    fuzz_check(state_reach(found) >= state_level(found), "nothing reaches its own level");
    fuzz_check(state_equivalent(found, found), "not equivalent to itself");
    explanation_free(&explanation);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const none[] = {NULL};
    struct lines lines;
    cleanup_diagnostics struct diagnostics found = {0};
    lines_read(&lines, data, size);
    struct config *config =
        config_from_options("fuzz", "/source", none, (const char *const *)lines.rules, &found);
    fuzz_check(!config == (found.errors > 0), "%zu errors", found.errors);
    for (size_t i = 0; config && i < lines.path_count; i++)
        check_path(config->scopes[0]->policy, lines.paths[i], lines.path_lengths[i]);
    config_free(config);
    lines_free(&lines);
    return 0;
}
