#include "scopefs/policy.h"

#include "policy_internal.h"

#include "scopefs/log.h"
#include "scopefs/mem.h"

/*
 * The verdict comes from the states, as enforcement has it. The list of everything that covers the
 * path is found by trying each pattern on its own, without states, indexes or pruning: a second
 * opinion, which must agree.
 */

struct path_name {
    const char *bytes;
    size_t length, end; /* `end`: where it ends in the path */
    uint64_t present;
};

static struct path_name *split_path(const char *path, size_t length, size_t *count)
{
    struct path_name *names = xcalloc(length + 1, sizeof(*names));
    for (size_t at = 0; at < length;) {
        const char *slash = memchr(path + at, '/', length - at);
        size_t end = slash ? (size_t)(slash - path) : length;
        if (end > at && !(end - at == 1 && path[at] == '.'))
            names[(*count)++] = (struct path_name){.bytes = path + at,
                                                   .length = end - at,
                                                   .end = end,
                                                   .present = bytes_present(path + at, end - at)};
        at = end + 1;
    }
    return names;
}

/* How many leading names the alternative that starts at position `start` needs at least to match,
 * or SIZE_MAX when no leading part of the path is one. `live[i]` says whether the alternative's
 * component i waits for the next name. */
static size_t names_needed(const struct policy *policy, uint32_t start,
                           const struct path_name *names, size_t count)
{
    const struct position *positions = &policy->positions[start];
    size_t components = 1;
    while (!positions[components - 1].last)
        components++;
    cleanup_free bool *live = xcalloc(components + 1, sizeof(*live));
    live[0] = true;
    for (size_t i = 0; i < count; i++) {
        /* From the last one back, so that what a match wakes does not see the same name. */
        for (size_t k = components; k-- > 0;) {
            if (!live[k])
                continue;
            if (component_match(&positions[k].component, names[i].bytes, names[i].length,
                                names[i].present) == MATCH_YES)
                live[k + 1] = true;
            live[k] = positions[k].floating;
        }
        if (live[components])
            return i + 1;
    }
    return SIZE_MAX;
}

/* For each rule and each ceiling, by number: how many leading names it needs to match. */
struct coverage {
    size_t *rules, *ceilings;
};

static void note(size_t *needed, size_t names)
{
    *needed = names < *needed ? names : *needed;
}

static struct coverage cover(const struct policy *policy, const struct path_name *names,
                             size_t count)
{
    struct coverage coverage = {.rules = xcalloc(policy->rule_count, sizeof(size_t)),
                                .ceilings = xcalloc(policy->ceiling_count, sizeof(size_t))};
    memset(coverage.rules, 0xff, policy->rule_count * sizeof(size_t));
    memset(coverage.ceilings, 0xff, policy->ceiling_count * sizeof(size_t));
    for (size_t i = 0; i < policy->root_rule_count; i++)
        note(&coverage.rules[policy->root_rules[i]], 0);
    for (size_t i = 0; i < policy->root_ceiling_count; i++)
        note(&coverage.ceilings[policy->root_ceilings[i]], 0);
    for (uint32_t i = 0; i < policy->position_count; i++) {
        const struct position *position = &policy->positions[i];
        if (i > 0 && !position[-1].last)
            continue;
        size_t *list = position->is_ceiling ? coverage.ceilings : coverage.rules;
        note(&list[position->owner], names_needed(policy, i, names, count));
    }
    return coverage;
}

static void add_matches(struct explanation *explanation, const struct rule *rules,
                        const size_t *needed, uint32_t count, const struct path_name *names)
{
    for (uint32_t i = 0; i < count; i++) {
        if (needed[i] == SIZE_MAX)
            continue;
        explanation->matches = xreallocarray(explanation->matches, explanation->count + 1,
                                             sizeof(*explanation->matches));
        explanation->matches[explanation->count++] = (struct match){
            .rule = &rules[i],
            .covered = needed[i] ? names[needed[i] - 1].end : 0,
            .decides =
                &rules[i] == explanation->verdict.rule || &rules[i] == explanation->verdict.ceiling,
        };
    }
}

/* An explanation that contradicts enforcement would be worse than none. */
static void check_agreement(const struct explanation *explanation, enum level default_level)
{
    enum level wanted = default_level, limit = LEVEL_WRITE;
    const struct rule *last = NULL;
    for (size_t i = 0; i < explanation->count; i++) {
        const struct rule *rule = explanation->matches[i].rule;
        if (!rule->is_ceiling) {
            last = rule;
            wanted = rule->level;
        } else if (rule->level < limit) {
            limit = rule->level;
        }
    }
    const struct verdict *verdict = &explanation->verdict;
    if (last != verdict->rule || wanted != verdict->wanted ||
        (limit < wanted) != (verdict->ceiling != NULL) ||
        (verdict->ceiling && verdict->ceiling->level != limit)) {
        log_error("internal error: two ways to decide a path disagree");
        abort();
    }
}

bool policy_explain(const struct policy *policy, const char *path, size_t length,
                    struct explanation *explanation)
{
    const struct state *state = policy_find(policy, path, length);
    if (!state)
        return false;
    size_t count = 0;
    cleanup_free char *folded = xmemdup0(path, length);
    for (size_t i = 0; policy->ignore_case && i < length; i++)
        folded[i] = (char)fold_byte((unsigned char)path[i]);
    cleanup_free struct path_name *names = split_path(folded, length, &count);
    struct coverage coverage = cover(policy, names, count);
    *explanation = (struct explanation){.verdict = state_verdict(state)};
    add_matches(explanation, policy->rules, coverage.rules, policy->rule_count, names);
    add_matches(explanation, policy->ceilings, coverage.ceilings, policy->ceiling_count, names);
    free(coverage.rules);
    free(coverage.ceilings);
    if (!state->dead)
        check_agreement(explanation, policy->default_level);
    return true;
}

void explanation_free(struct explanation *explanation)
{
    free(explanation->matches);
    *explanation = (struct explanation){0};
}
