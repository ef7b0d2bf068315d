#include "scopefs/config.h"

#include "config_build.h"
#include "config_keys.h"
#include "deciding_files.h"
#include "paths.h"
#include "policy_build.h"
#include "suggest.h"
#include "template.h"

#include "scopefs/fd.h"
#include "scopefs/hash.h"
#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_SIZE (1024 * 1024)

struct whole_config {
    struct config config;
    struct arena arena; /* of everything but the policies, and of this itself */
    struct scope_draft *drafts;
    struct whole_config *next_instance; /* with one of the templates turned into a scope */
};

static void free_loaded(struct loader *loader)
{
    for (struct scope_draft *draft = loader->drafts; draft; draft = draft->next)
        policy_free(draft->policy);
    arena_free(loader->arena);
}

/* The finished configuration, or NULL when there was an error since `errors_before`. */
static struct config *finish(struct loader *loader, const char *file, size_t errors_before)
{
    loader_finish(loader);
    diagnostics_sort(loader->diagnostics);
    if (loader->diagnostics->errors > errors_before) {
        free_loaded(loader);
        return NULL;
    }
    struct whole_config *whole = xcalloc(1, sizeof(*whole));
    size_t count = 0;
    for (struct scope_draft *draft = loader->drafts; draft; draft = draft->next)
        count++;
    const struct scope **scopes = arena_alloc(loader->arena, count * sizeof(*scopes));
    whole->config.file = arena_strdup(loader->arena, file);
    whole->config.scopes = scopes;
    for (struct scope_draft *draft = loader->drafts; draft; draft = draft->next)
        if (!is_template_name(draft->scope.name))
            *scopes++ = &draft->scope;
    whole->config.scope_count = (size_t)(scopes - whole->config.scopes);
    whole->drafts = loader->drafts;
    whole->arena = *loader->arena;
    return &whole->config;
}

static bool check_scope_name(struct loader *loader, const struct ini_section *section,
                             struct setting_place place)
{
    if (!section->name) {
        loader_report(loader, place, "the section needs a scope's name; write [%s NAME]",
                      section->kind);
        return false;
    }
    place.column = section->name_column;
    if (!is_valid_name(section->name) && !is_template_name(section->name)) {
        loader_report(loader, place, "'%s' cannot be a scope's name: " NAME_SYNTAX, section->name);
        return false;
    }
    return true;
}

/* What the settings of a section are for: without a kind, nothing; and where the section itself has
 * something wrong, a scope that is in no list, so that they are checked all the same. */
struct section_use {
    const struct section_kind *kind;
    struct scope_draft *scope;
};

static bool is_scope_section(const struct ini_section *section)
{
    return strcmp(section->kind, "scope") == 0;
}

static struct scope_draft *add_scope(struct loader *loader, const struct ini_section *section,
                                     struct setting_place place)
{
    const struct scope_draft *other = loader_find_draft(loader, section->name);
    if (!other)
        return loader_add_draft(loader, section->name, place);
    loader_report(loader, place, "the scope '%s' is already there in line %u; rename one of them",
                  section->name, other->scope.place.line);
    return NULL;
}

static struct scope_draft *find_scope(struct loader *loader, const struct ini_section *section,
                                      struct setting_place place)
{
    struct scope_draft *scope = loader_find_draft(loader, section->name);
    if (scope)
        return scope;
    place.column = section->name_column;
    cleanup_strbuf struct strbuf hint = {0};
    loader_suggest_scope(loader, section->name, &hint);
    loader_report(loader, place, "[%s %s] is for a scope that is not there; %s", section->kind,
                  section->name, hint.bytes);
    return NULL;
}

static void resolve_section(struct loader *loader, const struct ini_file *file,
                            const struct ini_section *section, struct section_use *use)
{
    struct setting_place place = {file->name, section->line, section->column};
    use->kind = config_find_section(loader, config_sections, file->name, section);
    if (use->kind && !section->broken && check_scope_name(loader, section, place))
        use->scope = is_scope_section(section) ? add_scope(loader, section, place)
                                               : find_scope(loader, section, place);
    if (!use->scope)
        use->scope = loader_new_draft(loader, NULL, place);
    if (is_scope_section(section))
        use->scope->may_have_source = section->has_broken_line;
}

/* In the order of the sections. Scopes come first, as rules may stand before their scope. */
static const struct section_use *resolve_sections(struct loader *loader,
                                                  const struct ini_file *file)
{
    size_t count = 0;
    for (const struct ini_section *section = file->sections; section; section = section->next)
        count++;
    struct section_use *uses = arena_alloc(loader->arena, count * sizeof(*uses));
    for (int scopes = 1; scopes >= 0; scopes--) {
        struct section_use *use = uses;
        for (const struct ini_section *section = file->sections; section;
             section = section->next, use++)
            if (is_scope_section(section) == scopes)
                resolve_section(loader, file, section, use);
    }
    return uses;
}

static void apply_settings(struct loader *loader, const struct ini_file *file)
{
    const struct section_use *use = resolve_sections(loader, file);
    const struct ini_setting *setting = file->settings;
    for (const struct ini_section *section = file->sections; section;
         section = section->next, use++) {
        for (; setting && setting->section == section; setting = setting->next) {
            if (!use->kind)
                continue;
            struct setting_target target = {.source = &use->scope->source, .scope = use->scope};
            config_apply(loader, use->kind, &target, setting);
        }
    }
}

static int read_config(const char *file, char **contents, size_t *size)
{
    cleanup_fd int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    return fd < 0 ? -1 : fd_read_file(fd, MAX_SIZE, contents, size);
}

/* It tells an edit, not an attacker, who could write the file anyway. */
static uint64_t digest_of(const char *bytes, size_t size)
{
    return hash_bytes(HASH_START, bytes, size);
}

int config_digest_file(const char *file, uint64_t *digest)
{
    cleanup_free char *contents = NULL;
    size_t size = 0;
    if (read_config(file, &contents, &size) < 0)
        return -1;
    *digest = digest_of(contents, size);
    return 0;
}

/* With an instance, the template that fits is that scope. */
static struct config *load_file(const char *file, const char *instance,
                                struct diagnostics *diagnostics)
{
    size_t errors_before = diagnostics->errors;
    struct arena arena = {0};
    cleanup_free char *contents = NULL;
    size_t size = 0;
    if (read_config(file, &contents, &size) < 0) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, file, 0, 0, "cannot read it: %s%s",
                        strerror(errno), errno == EFBIG ? " (more than 1 MiB)" : "");
        return NULL;
    }
    uint64_t digest = digest_of(contents, size);
    struct loader loader = {.arena = &arena, .diagnostics = diagnostics};
    loader.last_draft = &loader.drafts;
    loader.base = path_directory_of(&arena, file);
    if (!loader.base) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, file, 0, 0, "cannot resolve its folder: %s",
                        strerror(errno));
        arena_free(&arena);
        return NULL;
    }
    struct ini_file *ini = ini_read(&arena, file, contents, size, diagnostics);
    if (instance)
        template_become(&arena, ini, instance);
    apply_settings(&loader, ini);
    deciding_files_protect(&loader, ini->name);
    if (!loader.drafts)
        diagnostics_add(diagnostics, SEVERITY_ERROR, file, 0, 0,
                        "there is no scope in it; add a section [scope NAME] with a source");
    struct config *config = finish(&loader, file, errors_before);
    if (config)
        config->digest = digest;
    return config;
}

struct config *config_load(const char *file, struct diagnostics *diagnostics)
{
    return load_file(file, NULL, diagnostics);
}

static void add_option_presets(struct loader *loader, struct scope_draft *draft,
                               const char *const *presets)
{
    for (unsigned i = 0; presets && presets[i]; i++) {
        struct setting_place place = {"--preset", i + 1, 1};
        if (is_valid_name(presets[i]))
            loader_add_use(loader, &draft->source, arena_strdup(loader->arena, presets[i]), place);
        else
            loader_report(loader, place, "'%s' cannot be a preset's name: " NAME_SYNTAX,
                          presets[i]);
    }
}

static void add_option_rule(struct loader *loader, struct scope_draft *draft, const char *text,
                            unsigned number)
{
    struct setting_place place = {"--rule", number, 1};
    const char *equals = strchr(text, '=');
    cleanup_free char *level = xmemdup0(text, equals ? (size_t)(equals - text) : 0);
    struct rule rule = {.file = place.file, .line = number};
    if (!equals) {
        loader_report(loader, place, "'%s' is no rule; write LEVEL=PATTERN, such as none=.env",
                      text);
        return;
    }
    if (!level_parse(level, &rule.level)) {
        loader_report(loader, place, "unknown level '%s'; there are: none, view, read, write",
                      level);
        return;
    }
    rule.column = (unsigned)(equals - text) + 2;
    rule.pattern = arena_strdup(loader->arena, equals + 1);
    loader_add_rule(loader, &draft->source, &rule, NULL);
}

static void set_option_source(struct loader *loader, struct scope_draft *draft, const char *source)
{
    struct setting_place place = {"--source", 0, 0};
    const char *message = "it is empty; name a directory";
    cleanup_free char *here = realpath(".", NULL);
    draft->may_have_source = true;
    if (source[0] != '\0' && !here && source[0] != '/')
        message = "the working directory is gone; give an absolute path";
    else if (source[0] != '\0')
        draft->scope.source = path_resolve(loader->arena, here ? here : "/", source, &message);
    if (!draft->scope.source)
        loader_report(loader, place, "%s", message);
}

struct config *config_from_options(const char *name, const char *source, const char *const *presets,
                                   const char *const *rules, struct diagnostics *diagnostics)
{
    size_t errors_before = diagnostics->errors;
    struct arena arena = {0};
    struct loader loader = {.arena = &arena, .diagnostics = diagnostics};
    loader.last_draft = &loader.drafts;
    struct setting_place place = {"command line", 0, 0};
    if (!is_valid_name(name))
        loader_report(&loader, place, "'%s' cannot be a scope's name: " NAME_SYNTAX, name);
    struct scope_draft *draft = loader_add_draft(&loader, arena_strdup(&arena, name), place);
    set_option_source(&loader, draft, source);
    add_option_presets(&loader, draft, presets);
    for (unsigned i = 0; rules && rules[i]; i++)
        add_option_rule(&loader, draft, rules[i], i + 1);
    return finish(&loader, place.file, errors_before);
}

static const struct scope *find_scope_named(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->scope_count; i++)
        if (strcmp(config->scopes[i]->name, name) == 0)
            return config->scopes[i];
    return NULL;
}

static bool has_template(const struct whole_config *whole, const char *name)
{
    for (const struct scope_draft *draft = whole->drafts; draft; draft = draft->next)
        if (template_fits(draft->scope.name, name))
            return true;
    return false;
}

/* Reads the file again with the template as this scope, which the configuration then owns. */
static const struct scope *make_instance(struct whole_config *whole, const char *name,
                                         struct error **error)
{
    cleanup_diagnostics struct diagnostics diagnostics = {0};
    struct whole_config *made =
        (struct whole_config *)load_file(whole->config.file, name, &diagnostics);
    if (!made) {
        for (size_t i = 0; i < diagnostics.count; i++)
            if (diagnostics.items[i].severity == SEVERITY_ERROR) {
                error_set(error, 0, "%s:%u: %s", diagnostics.items[i].file,
                          diagnostics.items[i].line, diagnostics.items[i].message);
                break;
            }
        return NULL;
    }
    made->next_instance = whole->next_instance;
    whole->next_instance = made;
    return find_scope_named(&made->config, name);
}

const struct scope *config_scope(const struct config *config, const char *name,
                                 struct error **error)
{
    struct whole_config *whole = (struct whole_config *)config;
    const struct scope *scope = find_scope_named(config, name);
    for (struct whole_config *at = whole->next_instance; at && !scope; at = at->next_instance)
        scope = find_scope_named(&at->config, name);
    if (!scope && has_template(whole, name))
        return make_instance(whole, name, error);
    if (scope)
        return scope;
    cleanup_strbuf struct strbuf known = {0};
    for (const struct scope_draft *draft = whole->drafts; draft; draft = draft->next)
        strbuf_add_format(&known, "%s%s", known.length ? ", " : "", draft->scope.name);
    cleanup_strbuf struct strbuf quoted = {0};
    strbuf_add_quoted(&quoted, name, strlen(name));
    error_set(error, 0, "%s has no scope '%s'; there are: %s", config->file,
              quoted.bytes ? quoted.bytes : "", known.bytes);
    return NULL;
}

void config_free(struct config *config)
{
    if (!config)
        return;
    struct whole_config *whole = (struct whole_config *)config;
    if (whole->next_instance)
        config_free(&whole->next_instance->config);
    for (struct scope_draft *draft = whole->drafts; draft; draft = draft->next)
        policy_free(draft->policy);
    arena_free(&whole->arena);
    free(whole);
}
