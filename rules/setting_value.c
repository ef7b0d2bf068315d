#include "setting_value.h"

#include "paths.h"
#include "suggest.h"

#include "scopefs/duration.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <limits.h>

struct setting_place setting_value_place(const struct ini_setting *setting, size_t offset)
{
    return (struct setting_place){.file = setting->line.file,
                                  .line = setting->line.number,
                                  .column = ini_setting_column(setting, offset)};
}

struct setting_place setting_key_place(const struct ini_setting *setting)
{
    return (struct setting_place){
        .file = setting->line.file, .line = setting->line.number, .column = setting->key_column};
}

int setting_choose(struct loader *loader, const struct ini_setting *setting,
                   const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(setting->value, words[i]) == 0)
            return (int)i;
    cleanup_strbuf struct strbuf hint = {0};
    suggest_word(&hint, setting->value, words, count);
    loader_report(loader, setting_value_place(setting, 0), "'%s' is no value of %s; %s",
                  setting->value, setting->key, hint.bytes);
    return -1;
}

void setting_path(struct loader *loader, const struct ini_setting *setting, const char **path)
{
    const char *message = NULL;
    *path = path_resolve(loader->arena, loader->base, setting->value, &message);
    if (!*path)
        loader_report(loader, setting_value_place(setting, 0), "%s", message);
}

void setting_duration(struct loader *loader, const struct ini_setting *setting,
                      unsigned long *milliseconds)
{
    if (!duration_parse(setting->value, milliseconds))
        loader_report(loader, setting_value_place(setting, 0), "'%s' is no time; " DURATION_SYNTAX,
                      setting->value);
}

bool setting_amount(const char *text, const char *units, unsigned long long *amount)
{
    if (*text < '0' || *text > '9')
        return false;
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    const char *unit = *end ? strchr(units, *end) : NULL;
    if (errno || number == 0 || (*end && (!unit || end[1])))
        return false;
    unsigned long long factor = unit ? 1ULL << (10 * (unit - units + 1)) : 1;
    return !__builtin_mul_overflow(number, factor, amount) && *amount <= LLONG_MAX;
}
