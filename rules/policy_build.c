#include "policy_build.h"

#include "policy_internal.h"

#include "scopefs/mem.h"

/* Somebody who makes directories with ever new names shall not make the process grow for ever. */
#define MAX_MEMORY ((size_t)256 * 1024 * 1024)

struct memory_block {
    struct memory_block *next;
    max_align_t bytes[];
};

void *policy_allocate(struct policy *policy, size_t size)
{
    if (size > MAX_MEMORY - policy->memory_used)
        return NULL;
    struct memory_block *block = malloc(sizeof(*block) + size);
    if (!block)
        return NULL;
    policy->memory_used += size;
    block->next = policy->memory;
    policy->memory = block;
    return block->bytes;
}

struct policy *policy_new(const struct policy_options *options)
{
    struct policy *policy = xcalloc(1, sizeof(*policy));
    policy->default_level = options->default_level;
    policy->ignore_case = options->ignore_case;
    policy->parent = options->parent;
    policy->parent_name = options->parent_name ? xstrdup(options->parent_name) : NULL;
    policy->parent_path = options->parent_path ? xstrdup(options->parent_path) : NULL;
    pthread_mutex_init(&policy->mutex, NULL);
    return policy;
}

static bool add_component(struct policy *policy, const struct position *like,
                          const struct glob_component *glob, bool last, char *message, size_t size)
{
    policy->positions =
        xreallocarray(policy->positions, policy->position_count + 1u, sizeof(*policy->positions));
    struct position *position = &policy->positions[policy->position_count++];
    *position = *like;
    position->floating = glob->floating;
    position->last = last;
    return component_compile(&position->component, glob, policy->ignore_case, message, size) == 0;
}

static void add_number(uint32_t **numbers, size_t *count, uint32_t number)
{
    *numbers = xreallocarray(*numbers, *count + 1, sizeof(**numbers));
    (*numbers)[(*count)++] = number;
}

/* Notes where the alternative whose positions are about to be added starts to wait. */
static void add_start(struct policy *policy, const struct alternative *alternative,
                      const struct position *like)
{
    uint32_t number = policy->position_count;
    if (alternative->count == 0 && like->is_ceiling)
        add_number(&policy->root_ceilings, &policy->root_ceiling_count, like->owner);
    else if (alternative->count == 0)
        add_number(&policy->root_rules, &policy->root_rule_count, like->owner);
    else if (!alternative->components[0].floating)
        add_number(&policy->anchored, &policy->anchored_count, number);
    else if (like->is_ceiling)
        add_number(&policy->floating_ceilings, &policy->floating_ceiling_count, number);
    else
        add_number(&policy->floating_rules, &policy->floating_rule_count, number);
}

bool policy_add(struct policy *policy, const struct rule *rule, const struct pattern *pattern,
                char *message, size_t size)
{
    struct rule **list = rule->is_ceiling ? &policy->ceilings : &policy->rules;
    uint32_t *count = rule->is_ceiling ? &policy->ceiling_count : &policy->rule_count;
    struct position like = {.owner = *count, .level = rule->level, .is_ceiling = rule->is_ceiling};
    *list = xreallocarray(*list, *count + 1u, sizeof(**list));
    (*list)[(*count)++] = *rule;

    for (const struct alternative *alternative = pattern->alternatives; alternative;
         alternative = alternative->next) {
        add_start(policy, alternative, &like);
        for (size_t i = 0; i < alternative->count; i++)
            if (!add_component(policy, &like, &alternative->components[i],
                               i + 1 == alternative->count, message, size))
                return false;
    }
    return true;
}

/* The index of everything that waits in every directory. */
static void build_floating_index(struct policy *policy)
{
    size_t count = policy->floating_rule_count + policy->floating_ceiling_count;
    if (count == 0)
        return;
    cleanup_free uint32_t *numbers = xcalloc(count, sizeof(*numbers));
    for (size_t i = 0; i < count; i++)
        numbers[i] = i < policy->floating_rule_count
                         ? policy->floating_rules[i]
                         : policy->floating_ceilings[i - policy->floating_rule_count];
    policy->floating_index = xmalloc(sizeof(*policy->floating_index));
    policy->floating_memory = xmalloc(position_index_size(count));
    position_index_build(policy->floating_index, policy->floating_memory, policy->positions,
                         numbers, count);
}

static void note_levels(struct policy *policy)
{
    size_t count = policy->floating_rule_count;
    policy->levels_from = xcalloc(count + 1, 1);
    for (size_t i = count; i-- > 0;) {
        enum level level = policy->positions[policy->floating_rules[i]].level;
        policy->levels_from[i] = (unsigned char)(policy->levels_from[i + 1] | level_bit(level));
    }
    for (size_t i = 0; i < policy->floating_ceiling_count; i++)
        policy->ceiling_levels |= level_bit(policy->positions[policy->floating_ceilings[i]].level);
}

static uint32_t lowest_root_ceiling(const struct policy *policy)
{
    uint32_t lowest = 0;
    enum level limit = LEVEL_WRITE;
    for (size_t i = 0; i < policy->root_ceiling_count; i++) {
        uint32_t number = policy->root_ceilings[i];
        if (policy->ceilings[number].level >= limit)
            continue;
        limit = policy->ceilings[number].level;
        lowest = number + 1;
    }
    return lowest;
}

static const struct state *make_root(struct policy *policy)
{
    const struct state *parent = NULL;
    if (policy->parent) {
        parent = policy_find(policy->parent, policy->parent_path, strlen(policy->parent_path));
        if (!parent)
            return &policy->dead;
    }
    uint32_t rule = 0, ceiling = lowest_root_ceiling(policy);
    if (policy->root_rule_count > 0)
        rule = policy->root_rules[policy->root_rule_count - 1] + 1;
    enum level limit = ceiling ? policy->ceilings[ceiling - 1].level : LEVEL_WRITE;
    cleanup_free uint32_t *waiting = xcalloc(policy->anchored_count, sizeof(*waiting));
    size_t count = 0;
    for (size_t i = 0; i < policy->anchored_count; i++)
        if (position_counts(&policy->positions[policy->anchored[i]], rule, limit))
            waiting[count++] = policy->anchored[i];

    pthread_mutex_lock(&policy->mutex);
    const struct state *root = state_intern(policy, parent, rule, ceiling, waiting, count);
    pthread_mutex_unlock(&policy->mutex);
    return root ? root : &policy->dead;
}

void policy_seal(struct policy *policy)
{
    build_floating_index(policy);
    note_levels(policy);
    policy->dead.policy = policy;
    policy->dead.dead = true;
    policy->dead.may_hide = true;
    policy->dead.behaviour = behaviour_of_dead();
    policy->root = make_root(policy);
}

const struct rule *policy_next_revealing_rule(const struct policy *policy, const struct rule *after)
{
    if (policy->root->level != LEVEL_NONE || policy->root->limit == LEVEL_NONE)
        return NULL;
    for (size_t i = 0; i < policy->floating_rule_count; i++) {
        const struct position *position = &policy->positions[policy->floating_rules[i]];
        const struct rule *rule = &policy->rules[position->owner];
        if ((!after || rule > after) && rule->level > LEVEL_NONE &&
            position_counts(position, policy->root->rule, policy->root->limit))
            return rule;
    }
    return NULL;
}

void policy_free(struct policy *policy)
{
    if (!policy)
        return;
    for (uint32_t i = 0; i < policy->position_count; i++)
        component_free(&policy->positions[i].component);
    while (policy->memory) {
        struct memory_block *next = policy->memory->next;
        free(policy->memory);
        policy->memory = next;
    }
    intern_free(&policy->states);
    intern_free(&policy->behaviours);
    free(policy->floating_index);
    free(policy->floating_memory);
    free(policy->levels_from);
    free(policy->floating_rules);
    free(policy->floating_ceilings);
    free(policy->anchored);
    free(policy->root_rules);
    free(policy->root_ceilings);
    free(policy->positions);
    free(policy->rules);
    free(policy->ceilings);
    free(policy->parent_name);
    free(policy->parent_path);
    pthread_mutex_destroy(&policy->mutex);
    free(policy);
}
