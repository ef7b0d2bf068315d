/* directory_tree: what is below a directory. */
#include "glob.h"
#include "scopefs/mem.h"
#include "tools.h"
#include "walk.h"
#include "workspace.h"

#include <string.h>

const struct argument directory_tree_arguments[] = {
    {"path", NULL, ARGUMENT_PATH, .fallback = "\".\"", .help = "The directory"},
    {"depth", NULL, ARGUMENT_WHOLE, .fallback = "16", .minimum = 1, .maximum = 256,
     .help = "Levels to show"},
    {"exclude", "excludePatterns", ARGUMENT_TEXTS, .fallback = "[]", .maximum = 100,
     .help = "Patterns of what is left out, with all below it; without a slash at any depth"},
    {"default_excludes", "includeDefaultExcludes", ARGUMENT_FLAG, .fallback = "true",
     .help = "Leave out what tools make: .git, node_modules, caches and build folders"},
    {"limit", NULL, ARGUMENT_WHOLE, .fallback = "2000", .minimum = 1, .maximum = 20000,
     .help = "Entries to show at most"},
    {0},
};

static const char *const default_excludes[] = {
    ".git",     ".svn",       ".hg",         "node_modules", ".venv",         "venv",
    ".tox",     ".nox",       "__pycache__", "dist",         "build",         "target",
    ".next",    ".nuxt",      ".output",     ".cache",       ".pytest_cache", ".mypy_cache",
    "coverage", ".idea",      ".coverage",   "htmlcov",      ".ruff_cache",   ".vscode",
    ".eggs",    "*.egg-info", ".DS_Store",
};

#define MAX_LEVELS 257

struct tree {
    struct call *call;
    struct glob_list excluded;
    size_t depth, limit, shown, left_out;
    json_t *levels[MAX_LEVELS]; /* the lists into which entries of each level go; borrowed */
};

static void show(struct tree *tree, const struct walk_entry *entry)
{
    struct strbuf *text = &tree->call->text;
    bool is_directory = entry->kind == WALK_DIRECTORY;
    json_t *item = json_object();
    json_object_set_new(item, "name", json_name(entry->name, strlen(entry->name)));
    json_object_set_new(item, "type",
                        json_string(is_directory               ? "directory"
                                    : entry->kind == WALK_FILE ? "file"
                                                               : "other"));
    strbuf_add_format(text, "%*s%s%s\n", (int)(2 * entry->depth), "",
                      json_string_value(json_object_get(item, "name")), is_directory ? "/" : "");
    if (is_directory && entry->depth + 1 < tree->depth) {
        tree->levels[entry->depth + 1] = json_array();
        json_object_set_new(item, "children", tree->levels[entry->depth + 1]);
    }
    json_array_append_new(tree->levels[entry->depth], item);
    tree->shown++;
}

static enum walk_answer visit(void *context, const struct walk_entry *entry)
{
    struct tree *tree = context;
    if (glob_list_matches(&tree->excluded, entry->path))
        return WALK_SKIP;
    if (tree->shown == tree->limit) {
        /* The rest is counted, as far as its directory was shown. */
        tree->left_out++;
        return WALK_SKIP;
    }
    show(tree, entry);
    return entry->depth + 1 < tree->depth ? WALK_ON : WALK_SKIP;
}

static int add_default_excludes(struct tree *tree)
{
    json_t *patterns = json_array();
    for (size_t i = 0; i < sizeof(default_excludes) / sizeof(default_excludes[0]); i++)
        json_array_append_new(patterns, json_string(default_excludes[i]));
    int result = glob_list_add(tree->call, &tree->excluded, patterns);
    json_decref(patterns);
    return result;
}

static void present(struct tree *tree)
{
    struct call *call = tree->call;
    json_object_set_new(call->structured, "entries", json_integer((json_int_t)tree->shown));
    json_object_set_new(call->structured, "truncated", json_boolean(tree->left_out > 0));
    if (tree->shown == 0)
        strbuf_add_text(&call->text, "(nothing is in it, or nothing that is visible)\n");
    if (tree->left_out)
        strbuf_add_format(&call->text,
                          "[truncated, %zu more entries and what is below them; give a path below, "
                          "or a smaller depth]\n",
                          tree->left_out);
}

void tool_directory_tree(struct call *call)
{
    struct tree tree = {
        .call = call,
        .depth = (size_t)call_number(call, "depth"),
        .limit = (size_t)call_number(call, "limit"),
    };
    cleanup_free char *path = workspace_path(call, call_text(call, "path"));
    if (!path)
        return;
    cleanup_free char *name = workspace_name(call, path);
    tree.levels[0] = json_array();
    call->structured =
        json_pack("{s:o, s:o}", "path", json_name(name, strlen(name)), "tree", tree.levels[0]);
    if (glob_list_add(call, &tree.excluded, call_value(call, "exclude")) == 0 &&
        (!call_flag(call, "default_excludes") || add_default_excludes(&tree) == 0) &&
        walk(call, path, visit, &tree) == 0)
        present(&tree);
    glob_list_free(&tree.excluded);
}
