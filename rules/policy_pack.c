#include "scopefs/policy_pack.h"

#include "policy_build.h"
#include "policy_internal.h"

#include "scopefs/mem.h"

/* The scopes above a policy cannot be nested deeper than anybody writes them. */
enum { DEPTH_LIMIT = 64 };

static void pack_number(struct strbuf *buffer, uint32_t number)
{
    strbuf_add(buffer, &number, sizeof(number));
}

static void pack_text(struct strbuf *buffer, const char *text)
{
    pack_number(buffer, text ? (uint32_t)strlen(text) : UINT32_MAX);
    if (text)
        strbuf_add(buffer, text, strlen(text));
}

static void pack_rules(struct strbuf *buffer, const struct rule *rules, uint32_t count)
{
    pack_number(buffer, count);
    for (uint32_t i = 0; i < count; i++) {
        pack_number(buffer, (uint32_t)rules[i].level);
        pack_number(buffer, rules[i].line);
        pack_number(buffer, rules[i].column);
        pack_text(buffer, rules[i].file);
        pack_text(buffer, rules[i].pattern);
    }
}

void policy_pack(const struct policy *policy, struct strbuf *buffer)
{
    pack_number(buffer, (uint32_t)policy->default_level);
    pack_number(buffer, policy->ignore_case);
    pack_rules(buffer, policy->rules, policy->rule_count);
    pack_rules(buffer, policy->ceilings, policy->ceiling_count);
    pack_text(buffer, policy->parent ? policy->parent_name : NULL);
    if (policy->parent) {
        pack_text(buffer, policy->parent_path);
        policy_pack(policy->parent, buffer);
    }
}

struct policy_copy {
    struct arena arena;                /* the rules' strings */
    struct policy *chain[DEPTH_LIMIT]; /* the policy itself, then those above */
    size_t count;
};

struct packed {
    const char *at;
    size_t left;
    struct policy_copy *copy;
};

static bool unpack_number(struct packed *packed, uint32_t *number)
{
    if (packed->left < sizeof(*number))
        return false;
    memcpy(number, packed->at, sizeof(*number));
    packed->at += sizeof(*number);
    packed->left -= sizeof(*number);
    return true;
}

static bool unpack_level(struct packed *packed, enum level *level)
{
    uint32_t number;
    if (!unpack_number(packed, &number) || number > LEVEL_WRITE)
        return false;
    *level = (enum level)number;
    return true;
}

/* *text is NULL when there was none. */
static bool unpack_text(struct packed *packed, const char **text)
{
    uint32_t length;
    *text = NULL;
    if (!unpack_number(packed, &length))
        return false;
    if (length == UINT32_MAX)
        return true;
    if (packed->left < length)
        return false;
    *text = arena_memdup0(&packed->copy->arena, packed->at, length);
    packed->at += length;
    packed->left -= length;
    return true;
}

static bool unpack_rule(struct packed *packed, struct policy *policy, bool is_ceiling)
{
    struct rule rule = {.is_ceiling = is_ceiling};
    struct pattern_error error;
    char message[256];
    uint32_t line, column;
    if (!unpack_level(packed, &rule.level) || !unpack_number(packed, &line) ||
        !unpack_number(packed, &column) || !unpack_text(packed, &rule.file) ||
        !unpack_text(packed, &rule.pattern) || !rule.pattern)
        return false;
    rule.line = line;
    rule.column = column;
    const struct pattern *pattern =
        pattern_parse(&packed->copy->arena, rule.pattern, strlen(rule.pattern), &error);
    return pattern && policy_add(policy, &rule, pattern, message, sizeof(message));
}

static bool unpack_rules(struct packed *packed, struct policy *policy, bool is_ceiling)
{
    uint32_t count;
    if (!unpack_number(packed, &count))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!unpack_rule(packed, policy, is_ceiling))
            return false;
    return true;
}

/* What one policy of the chain says of itself, before those above it are known. */
struct packed_policy {
    struct policy_options options;
    const char *rules; /* where its rules begin */
    size_t left;
};

static bool skip_rules(struct packed *packed)
{
    uint32_t count, number;
    const char *text;
    if (!unpack_number(packed, &count))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!unpack_number(packed, &number) || !unpack_number(packed, &number) ||
            !unpack_number(packed, &number) || !unpack_text(packed, &text) ||
            !unpack_text(packed, &text))
            return false;
    return true;
}

static bool unpack_header(struct packed *packed, struct packed_policy *header)
{
    uint32_t ignore_case;
    if (!unpack_level(packed, &header->options.default_level) ||
        !unpack_number(packed, &ignore_case))
        return false;
    header->options.ignore_case = ignore_case != 0;
    header->rules = packed->at;
    header->left = packed->left;
    if (!skip_rules(packed) || !skip_rules(packed) ||
        !unpack_text(packed, &header->options.parent_name))
        return false;
    return !header->options.parent_name || unpack_text(packed, &header->options.parent_path);
}

/* The policy above must be sealed before the one below is, so the chain is built from its end. */
static bool build(struct packed *packed, const struct packed_policy *headers, size_t count)
{
    struct policy_copy *copy = packed->copy;
    copy->count = count;
    for (size_t i = count; i-- > 0;) {
        struct policy_options options = headers[i].options;
        options.parent = i + 1 < count ? copy->chain[i + 1] : NULL;
        copy->chain[i] = policy_new(&options);
        packed->at = headers[i].rules;
        packed->left = headers[i].left;
        if (!unpack_rules(packed, copy->chain[i], false) ||
            !unpack_rules(packed, copy->chain[i], true))
            return false;
        policy_seal(copy->chain[i]);
    }
    return true;
}

struct policy_copy *policy_unpack(const char *bytes, size_t size)
{
    struct policy_copy *copy = xcalloc(1, sizeof(*copy));
    struct packed packed = {.at = bytes, .left = size, .copy = copy};
    struct packed_policy headers[DEPTH_LIMIT] = {0};
    size_t count = 0;
    bool whole = true, more = true;
    while (whole && more) {
        whole = count < DEPTH_LIMIT && unpack_header(&packed, &headers[count]);
        more = whole && headers[count].options.parent_name;
        count += whole;
    }
    if (whole && packed.left == 0 && build(&packed, headers, count))
        return copy;
    policy_copy_free(copy);
    return NULL;
}

const struct policy *policy_copy_policy(const struct policy_copy *copy)
{
    return copy->chain[0];
}

void policy_copy_free(struct policy_copy *copy)
{
    if (!copy)
        return;
    for (size_t i = 0; i < copy->count; i++)
        policy_free(copy->chain[i]);
    arena_free(&copy->arena);
    free(copy);
}
