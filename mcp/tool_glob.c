/* glob: files by their names. */
#include "glob.h"
#include "scopefs/mem.h"
#include "tools.h"
#include "walk.h"
#include "workspace.h"

#include <string.h>

static const char *const type_choices[] = {"file", "directory", "any", NULL};

const struct argument glob_arguments[] = {
    {"pattern", NULL, ARGUMENT_PATH, true,
     .help = "Such as *.c (only in the directory itself), **/*.c (at any depth), src/**/test_*.py "
             "or **/*.{js,ts}"},
    {"path", NULL, ARGUMENT_PATH, .fallback = "\".\"", .help = "The directory to search"},
    {"exclude", "excludePatterns", ARGUMENT_TEXTS, .fallback = "[]", .maximum = 100,
     .help = "Patterns of what is left out, with all below it; without a slash at any depth"},
    {"type", NULL, ARGUMENT_CHOICE, .fallback = "\"file\"", .choices = type_choices,
     .help = "What is looked for"},
    {"offset", NULL, ARGUMENT_WHOLE, .fallback = "0", .maximum = 100000000,
     .help = "Matches to skip"},
    {"limit", NULL, ARGUMENT_WHOLE, .fallback = "1000", .minimum = 1, .maximum = 10000,
     .help = "Matches to list at most"},
    {0},
};

struct search {
    struct call *call;
    const char *start;
    const char *type;
    struct glob *wanted;
    struct glob_list excluded;
    size_t offset, limit, found;
};

static bool has_type(const struct search *search, enum walk_kind kind)
{
    if (strcmp(search->type, "any") == 0)
        return true;
    return kind == (strcmp(search->type, "directory") == 0 ? WALK_DIRECTORY : WALK_FILE);
}

static void add_match(struct search *search, const struct walk_entry *entry)
{
    size_t number = search->found++;
    if (number < search->offset || number >= search->offset + search->limit)
        return;
    struct call *call = search->call;
    cleanup_free char *path = strcmp(search->start, ".") == 0
                                  ? xstrdup(entry->path)
                                  : xasprintf("%s/%s", search->start, entry->path);
    cleanup_free char *name = workspace_name(call, path);
    json_t *text = json_name(name, strlen(name));
    strbuf_add_format(&call->text, "%s%s\n", json_string_value(text),
                      entry->kind == WALK_DIRECTORY ? "/" : "");
    json_array_append_new(json_object_get(call->structured, "matches"), text);
}

static enum walk_answer visit(void *context, const struct walk_entry *entry)
{
    struct search *search = context;
    if (glob_list_matches(&search->excluded, entry->path))
        return WALK_SKIP;
    if (has_type(search, entry->kind) && glob_matches(search->wanted, entry->path))
        add_match(search, entry);
    return WALK_ON;
}

static void present(struct search *search)
{
    struct call *call = search->call;
    size_t shown = json_array_size(json_object_get(call->structured, "matches"));
    size_t next = search->offset + shown;
    bool is_truncated = next < search->found;
    json_object_set_new(call->structured, "total", json_integer((json_int_t)search->found));
    json_object_set_new(call->structured, "truncated", json_boolean(is_truncated));
    if (search->found == 0)
        strbuf_add_text(&call->text, "(nothing matches)\n");
    if (!is_truncated)
        return;
    strbuf_add_format(&call->text, "[truncated, %zu more; offset=%zu lists on]\n",
                      search->found - next, next);
    json_object_set_new(call->structured, "next_offset", json_integer((json_int_t)next));
}

void tool_glob(struct call *call)
{
    struct search search = {
        .call = call,
        .type = call_text(call, "type"),
        .offset = (size_t)call_number(call, "offset"),
        .limit = (size_t)call_number(call, "limit"),
    };
    cleanup_free char *start = workspace_path(call, call_text(call, "path"));
    search.start = start;
    search.wanted = start ? glob_new(call, call_text(call, "pattern"), false) : NULL;
    call->structured = json_pack("{s:[]}", "matches");
    if (search.wanted && glob_list_add(call, &search.excluded, call_value(call, "exclude")) == 0 &&
        walk(call, start, visit, &search) == 0)
        present(&search);
    glob_free(search.wanted);
    glob_list_free(&search.excluded);
}
