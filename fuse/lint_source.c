#include "lint.h"

#include "mount_point.h"
#include "resolve.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/strbuf.h"
#include "scopefs/word_distance.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A check is not a backup: it looks at so many entries, and names so many findings of a kind. */
enum { ENTRIES_AT_MOST = 100000, NAMED_AT_MOST = 8, DEPTH_AT_MOST = 256, NEAR = 2 };

/* A rule of the file, while nothing that it matches was seen. */
struct unmatched {
    const struct rule *rule; /* NULL when something was */
    char *name;              /* the last part of a pattern, if it has no wildcards, or NULL */
    size_t distance;         /* of the nearest name */
    char *nearest;           /* its path */
};

struct linked_name {
    dev_t device;
    ino_t inode;
    enum level level;
    char *path;
};

struct survey {
    const struct scope *scope;
    struct diagnostics *diagnostics;
    struct view source; /* only what resolve_in needs */
    struct unmatched *unmatched;
    size_t unmatched_count, still_unmatched;
    struct linked_name *linked;
    size_t linked_count;
    size_t entries, secrets, sockets;
    unsigned depth;
};

#define warn_of_scope(survey, ...)                                                                 \
    diagnostics_add((survey)->diagnostics, SEVERITY_WARNING, (survey)->scope->place.file,          \
                    (survey)->scope->place.line, (survey)->scope->place.column, __VA_ARGS__)

static char *quoted(const char *path)
{
    struct strbuf text = {0};
    strbuf_add_quoted(&text, path, strlen(path));
    return strbuf_steal(&text);
}

/* "by 'read = /' (FILE:LINE)", or by the default. The caller frees it. */
static char *decider_of(const struct state *state)
{
    const struct rule *rule = state_verdict(state).rule;
    return rule ? xasprintf("by '%s = %s' (%s:%u)", level_name(rule->level), rule->pattern,
                            rule->file, rule->line)
                : xstrdup("by the default");
}

static void look_for_secret(struct survey *survey, const char *path, const struct state *state,
                            const struct state *secret)
{
    if (state_level(secret) != LEVEL_NONE || state_level(state) < LEVEL_READ ||
        survey->secrets++ >= NAMED_AT_MOST)
        return;
    cleanup_free char *name = quoted(path), *decider = decider_of(state);
    warn_of_scope(survey,
                  "/%s looks like a secret, and can be read in scope %s %s; 'preset = secrets' "
                  "hides such files",
                  name, survey->scope->name, decider);
}

static void look_for_socket(struct survey *survey, const char *path, const struct state *state,
                            const struct stat *attributes)
{
    if (!S_ISSOCK(attributes->st_mode) || state_level(state) < LEVEL_READ ||
        survey->sockets++ >= NAMED_AT_MOST)
        return;
    cleanup_free char *name = quoted(path);
    warn_of_scope(survey,
                  "/%s is a socket that can be reached in scope %s, and with it whatever listens "
                  "there; hide it by the ceiling: none = /%s",
                  name, survey->scope->name, name);
}

static void note_link(struct survey *survey, const char *path, const struct state *state,
                      const struct stat *attributes)
{
    if (!S_ISREG(attributes->st_mode) || attributes->st_nlink < 2)
        return;
    survey->linked =
        xreallocarray(survey->linked, survey->linked_count + 1, sizeof(*survey->linked));
    survey->linked[survey->linked_count++] = (struct linked_name){
        .device = attributes->st_dev,
        .inode = attributes->st_ino,
        .level = state_level(state),
        .path = xstrdup(path),
    };
}

static void note_nearness(struct unmatched *unmatched, const char *path, const char *name)
{
    size_t distance = unmatched->name ? word_distance(unmatched->name, name) : SIZE_MAX;
    if (distance >= unmatched->distance)
        return;
    free(unmatched->nearest);
    unmatched->nearest = xstrdup(path);
    unmatched->distance = distance;
}

static void note_matches(struct survey *survey, const char *path, const char *name)
{
    struct explanation explanation;
    if (survey->still_unmatched == 0 ||
        !policy_explain(survey->scope->policy, path, strlen(path), &explanation))
        return;
    for (size_t i = 0; i < survey->unmatched_count; i++) {
        struct unmatched *unmatched = &survey->unmatched[i];
        if (!unmatched->rule)
            continue;
        note_nearness(unmatched, path, name);
        for (size_t k = 0; k < explanation.count && unmatched->rule; k++)
            if (explanation.matches[k].rule == unmatched->rule)
                unmatched->rule = NULL;
        if (!unmatched->rule)
            survey->still_unmatched--;
    }
    explanation_free(&explanation);
}

/* A place in the source, under the scope's rules and under those for secrets. */
struct place {
    const char *path;
    const struct state *state, *secret;
};

static void look_into(struct survey *survey, int fd, const struct place *place);

static void look_at(struct survey *survey, int directory_fd, const struct place *parent,
                    const char *name)
{
    struct stat attributes;
    if (fstatat(directory_fd, name, &attributes, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    cleanup_free char *path = xasprintf("%s%s%s", parent->path, *parent->path ? "/" : "", name);
    struct place place = {path, state_step(parent->state, name, strlen(name)),
                          state_step(parent->secret, name, strlen(name))};
    note_matches(survey, path, name);
    look_for_socket(survey, path, place.state, &attributes);
    note_link(survey, path, place.state, &attributes);
    if (!S_ISDIR(attributes.st_mode)) {
        look_for_secret(survey, path, place.state, place.secret);
        return;
    }
    int fd = resolve_in(&survey->source, directory_fd, name, O_RDONLY | O_DIRECTORY);
    if (fd >= 0)
        look_into(survey, fd, &place);
}

/* Takes the descriptor over. */
static void look_into(struct survey *survey, int fd, const struct place *place)
{
    DIR *directory = survey->depth < DEPTH_AT_MOST ? fdopendir(fd) : NULL;
    if (!directory) {
        fd_close(&fd);
        return;
    }
    survey->depth++;
    for (const struct dirent *entry; (entry = readdir(directory));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (survey->entries >= ENTRIES_AT_MOST)
            break;
        survey->entries++;
        look_at(survey, dirfd(directory), place, entry->d_name);
    }
    survey->depth--;
    closedir(directory);
}

static int compare_links(const void *one, const void *other)
{
    const struct linked_name *first = one, *second = other;
    if (first->device != second->device)
        return first->device < second->device ? -1 : 1;
    if (first->inode != second->inode)
        return first->inode < second->inode ? -1 : 1;
    return strcmp(first->path, second->path);
}

static void tell_links(struct survey *survey)
{
    size_t told = 0;
    if (survey->linked_count)
        qsort(survey->linked, survey->linked_count, sizeof(*survey->linked), compare_links);
    for (size_t i = 1; i < survey->linked_count && told < NAMED_AT_MOST; i++) {
        const struct linked_name *one = &survey->linked[i - 1], *other = &survey->linked[i];
        if (one->device != other->device || one->inode != other->inode ||
            one->level == other->level)
            continue;
        cleanup_free char *first = quoted(one->path), *second = quoted(other->path);
        warn_of_scope(survey,
                      "/%s and /%s are one file, with the levels %s and %s in scope %s; what one "
                      "name forbids the other allows",
                      first, second, level_name(one->level), level_name(other->level),
                      survey->scope->name);
        told++;
    }
}

static void tell_unmatched(const struct survey *survey)
{
    for (size_t i = 0; i < survey->unmatched_count; i++) {
        const struct unmatched *unmatched = &survey->unmatched[i];
        const struct rule *rule = unmatched->rule;
        if (!rule || survey->entries >= ENTRIES_AT_MOST)
            continue;
        bool is_near = unmatched->distance <= NEAR && unmatched->distance < strlen(unmatched->name);
        cleanup_free char *nearest = is_near ? quoted(unmatched->nearest) : NULL;
        diagnostics_add(survey->diagnostics, SEVERITY_WARNING, rule->file, rule->line, rule->column,
                        "'%s = %s' matches nothing in the source now%s%s%s",
                        level_name(rule->level), rule->pattern, nearest ? "; did you mean '/" : "",
                        nearest ? nearest : "", nearest ? "'?" : "");
    }
}

static void tell_rest(const struct survey *survey)
{
    if (survey->secrets > NAMED_AT_MOST)
        warn_of_scope(survey, "%zu more that look like secrets can be read in scope %s",
                      survey->secrets - NAMED_AT_MOST, survey->scope->name);
    if (survey->sockets > NAMED_AT_MOST)
        warn_of_scope(survey, "%zu more sockets can be reached in scope %s",
                      survey->sockets - NAMED_AT_MOST, survey->scope->name);
    if (survey->entries >= ENTRIES_AT_MOST)
        warn_of_scope(survey, "only the first %d entries of the source of scope %s were looked at",
                      ENTRIES_AT_MOST, survey->scope->name);
}

/* The caller frees it. */
static char *last_name(const char *pattern)
{
    cleanup_free char *copy = xstrdup(pattern);
    size_t length = strlen(copy);
    while (length > 0 && copy[length - 1] == '/')
        copy[--length] = '\0';
    const char *slash = strrchr(copy, '/'), *name = slash ? slash + 1 : copy;
    return *name && !strpbrk(name, "*?[{\\") ? xstrdup(name) : NULL;
}

/* Rules of presets are for many sources, and ceilings are often for what must never appear. */
static void list_rules(struct survey *survey, const char *file)
{
    const struct rule *rule;
    for (size_t i = 0; (rule = policy_rule(survey->scope->policy, i)); i++) {
        if (rule->is_ceiling || strcmp(rule->file, file) != 0)
            continue;
        survey->unmatched = xreallocarray(survey->unmatched, survey->unmatched_count + 1,
                                          sizeof(*survey->unmatched));
        survey->unmatched[survey->unmatched_count++] = (struct unmatched){
            .rule = rule,
            .name = last_name(rule->pattern),
            .distance = SIZE_MAX,
        };
    }
    survey->still_unmatched = survey->unmatched_count;
}

static void free_survey(struct survey *survey)
{
    for (size_t i = 0; i < survey->unmatched_count; i++) {
        free(survey->unmatched[i].nearest);
        free(survey->unmatched[i].name);
    }
    for (size_t i = 0; i < survey->linked_count; i++)
        free(survey->linked[i].path);
    free(survey->unmatched);
    free(survey->linked);
}

static struct config *load_secrets(const struct scope *scope)
{
    static const char *const presets[] = {"secrets", NULL}, *const rules[] = {"read=/", NULL};
    cleanup_diagnostics struct diagnostics ignored = {0};
    return config_from_options("secrets", scope->source, presets, rules, &ignored);
}

void lint_source(const struct config *config, const struct scope *scope,
                 struct diagnostics *diagnostics)
{
    cleanup_error struct error *error = NULL;
    struct survey survey = {
        .scope = scope, .diagnostics = diagnostics, .source = {.submounts = scope->submounts}};
    cleanup_fd int source_fd = mount_point_open_source(scope, &error);
    if (source_fd < 0) {
        warn_of_scope(&survey, "%s", error->message);
        return;
    }
    survey.source.root_fd = source_fd;
    struct config *secrets = load_secrets(scope);
    const struct policy *secret_policy = secrets ? secrets->scopes[0]->policy : scope->policy;
    list_rules(&survey, config->file);
    struct place root = {"", policy_root(scope->policy), policy_root(secret_policy)};
    note_matches(&survey, "", "");
    int fd = resolve_in(&survey.source, source_fd, "", O_RDONLY | O_DIRECTORY);
    if (fd >= 0)
        look_into(&survey, fd, &root);
    tell_unmatched(&survey);
    tell_links(&survey);
    tell_rest(&survey);
    free_survey(&survey);
    config_free(secrets);
}
