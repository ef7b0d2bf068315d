#include "template.h"

#include "config_build.h"

#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

bool is_template_name(const char *name)
{
    size_t length = strlen(name);
    if (length < 2 || name[length - 1] != '*')
        return false;
    cleanup_free char *start = xmemdup0(name, length - 1);
    return is_valid_name(start);
}

bool template_fits(const char *template_name, const char *name)
{
    size_t start = strlen(template_name) - 1;
    return is_template_name(template_name) && is_valid_name(name) && strlen(name) > start &&
           strncmp(template_name, name, start) == 0;
}

static const char *find_template(const struct ini_file *file, const char *name)
{
    const char *best = NULL;
    for (const struct ini_section *section = file->sections; section; section = section->next)
        if (strcmp(section->kind, "scope") == 0 && section->name &&
            template_fits(section->name, name) && (!best || strlen(section->name) > strlen(best)))
            best = section->name;
    return best;
}

static const char *fill_in(struct arena *arena, const char *value, const char *name)
{
    cleanup_strbuf struct strbuf filled = {0};
    strbuf_add_text(&filled, "");
    for (const char *found; (found = strstr(value, "%n")); value = found + 2) {
        strbuf_add(&filled, value, (size_t)(found - value));
        strbuf_add_text(&filled, name);
    }
    strbuf_add_text(&filled, value);
    return arena_strdup(arena, filled.bytes);
}

void template_become(struct arena *arena, struct ini_file *file, const char *name)
{
    const char *template_name = find_template(file, name);
    if (!template_name)
        return;
    const char *own_name = arena_strdup(arena, name);
    for (struct ini_section *section = file->sections; section; section = section->next) {
        if (!section->name || strcmp(section->name, template_name) != 0)
            continue;
        section->name = own_name;
        for (struct ini_setting *setting = file->settings; setting; setting = setting->next)
            if (setting->section == section)
                setting->value = fill_in(arena, setting->value, name);
    }
}
