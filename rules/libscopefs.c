#include "config.h"

#include "scopefs.h"

#include "scopefs/config.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

_Static_assert(SCOPEFS_NONE == (int)LEVEL_NONE && SCOPEFS_VIEW == (int)LEVEL_VIEW &&
                   SCOPEFS_READ == (int)LEVEL_READ && SCOPEFS_WRITE == (int)LEVEL_WRITE,
               "levels have the same numbers inside and outside");

struct scopefs_config {
    struct config *config;
    pthread_mutex_t templates; /* guards what config_scope makes */
};

struct scopefs_findings {
    struct diagnostics diagnostics;
};

static const struct scope *scope_inside(const struct scopefs_scope *scope)
{
    return (const struct scope *)scope;
}

/* Takes what is in `diagnostics`. */
static void give_findings(struct scopefs_findings **findings, struct diagnostics *diagnostics)
{
    if (!findings || diagnostics->count == 0) {
        if (findings)
            *findings = NULL;
        diagnostics_free(diagnostics);
        return;
    }
    *findings = xcalloc(1, sizeof(**findings));
    (*findings)->diagnostics = *diagnostics;
}

const char *scopefs_version(void)
{
    return PACKAGE_VERSION;
}

const char *scopefs_level_name(int level)
{
    return level >= SCOPEFS_NONE && level <= SCOPEFS_WRITE ? level_name((enum level)level) : NULL;
}

struct scopefs_config *scopefs_load(const char *file, struct scopefs_findings **findings)
{
    struct diagnostics diagnostics = {0};
    cleanup_error struct error *error = NULL;
    cleanup_free char *found = file ? NULL : config_find(&error);
    struct config *config = NULL;
    if (file || found)
        config = config_load(file ? file : found, &diagnostics);
    else
        diagnostics_add(&diagnostics, SEVERITY_ERROR, "scopefs.ini", 0, 0, "%s", error->message);
    give_findings(findings, &diagnostics);
    if (!config)
        return NULL;
    struct scopefs_config *loaded = xcalloc(1, sizeof(*loaded));
    loaded->config = config;
    pthread_mutex_init(&loaded->templates, NULL);
    return loaded;
}

void scopefs_free(struct scopefs_config *config)
{
    if (!config)
        return;
    config_free(config->config);
    pthread_mutex_destroy(&config->templates);
    free(config);
}

size_t scopefs_findings_count(const struct scopefs_findings *findings)
{
    return findings ? findings->diagnostics.count : 0;
}

int scopefs_findings_get(const struct scopefs_findings *findings, size_t number,
                         struct scopefs_finding *finding)
{
    if (number >= scopefs_findings_count(findings)) {
        errno = ERANGE;
        return -1;
    }
    const struct diagnostic *item = &findings->diagnostics.items[number];
    *finding = (struct scopefs_finding){
        .is_error = item->severity == SEVERITY_ERROR,
        .line = item->line,
        .column = item->column,
        .file = item->file,
        .message = item->message,
    };
    return 0;
}

void scopefs_findings_free(struct scopefs_findings *findings)
{
    if (!findings)
        return;
    diagnostics_free(&findings->diagnostics);
    free(findings);
}

const char *scopefs_scope_name(const struct scopefs_config *config, size_t number)
{
    return number < config->config->scope_count ? config->config->scopes[number]->name : NULL;
}

const struct scopefs_scope *scopefs_find(struct scopefs_config *config, const char *name,
                                         struct scopefs_findings **findings)
{
    struct diagnostics diagnostics = {0};
    cleanup_error struct error *error = NULL;
    pthread_mutex_lock(&config->templates);
    const struct scope *scope = config_scope(config->config, name, &error);
    pthread_mutex_unlock(&config->templates);
    if (!scope)
        diagnostics_add(&diagnostics, SEVERITY_ERROR, config->config->file, 0, 0, "%s",
                        error->message);
    give_findings(findings, &diagnostics);
    return (const struct scopefs_scope *)scope;
}

const char *scopefs_source(const struct scopefs_scope *scope)
{
    return scope_inside(scope)->source;
}

static enum scopefs_reason reason_of(const struct scope *scope, const struct state *state,
                                     const struct verdict *verdict, int is_directory)
{
    if (state == policy_hidden(scope->policy))
        return SCOPEFS_BY_FAILURE;
    if (verdict->way_through && is_directory)
        return SCOPEFS_BY_WAY_THROUGH;
    if (verdict->parent)
        return SCOPEFS_BY_PARENT;
    if (verdict->ceiling)
        return SCOPEFS_BY_CEILING;
    return verdict->rule ? SCOPEFS_BY_RULE : SCOPEFS_BY_DEFAULT;
}

int scopefs_decide(const struct scopefs_scope *scope, const char *path, size_t length,
                   int is_directory, struct scopefs_decision *decision)
{
    const struct state *state = NULL;
    if (!memchr(path, '\0', length))
        state = policy_find(scope_inside(scope)->policy, path, length);
    if (!state) {
        errno = EINVAL;
        return -1;
    }
    const struct verdict verdict = state_verdict(state);
    const struct rule *decider = verdict.ceiling ? verdict.ceiling : verdict.rule;
    *decision = (struct scopefs_decision){
        .level = (int)verdict.level,
        .wanted = (int)verdict.wanted,
        .reason = (int)reason_of(scope_inside(scope), state, &verdict, is_directory),
        .visible = verdict.level != LEVEL_NONE || (verdict.way_through && is_directory),
        .parent = verdict.parent,
    };
    if (decider) {
        decision->file = decider->file;
        decision->line = decider->line;
        decision->column = decider->column;
        decision->pattern = decider->pattern;
    }
    return 0;
}
