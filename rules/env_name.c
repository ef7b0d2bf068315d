#include "scopefs/env_name.h"

#include <string.h>

bool env_name_is_valid(const char *name, size_t length)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    static const char digits[] = "0123456789";
    if (length == 0 || !strchr(letters, name[0]))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!name[i] || (!strchr(letters, name[i]) && !strchr(digits, name[i])))
            return false;
    return true;
}

bool env_name_is_unsafe(const char *name)
{
    static const char *const names[] = {"BASHOPTS",         "BASH_ENV",    "ENV",
                                        "GCONV_PATH",       "GETCONF_DIR", "GLIBC_TUNABLES",
                                        "HOSTALIASES",      "LOCALDOMAIN", "LOCPATH",
                                        "MALLOC_TRACE",     "NLSPATH",     "PERL5OPT",
                                        "PROMPT_COMMAND",   "PS4",         "PYTHONSTARTUP",
                                        "RESOLV_HOST_CONF", "RES_OPTIONS", "SHELLOPTS",
                                        "ZDOTDIR"};
    if (strncmp(name, "LD_", 3) == 0)
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}
