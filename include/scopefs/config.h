/*
 * Scopes as the ini file describes them. A configuration is loaded whole or not at all: with a
 * single error there is none. Everything in it is owned by the configuration and constant.
 */
#ifndef SCOPEFS_CONFIG_H
#define SCOPEFS_CONFIG_H

#include "scopefs/diagnostics.h"
#include "scopefs/error.h"
#include "scopefs/policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct setting_place {
    const char *file;
    unsigned line, column;
};

struct env_setting {
    const char *name;  /* of the variable; NULL: those of a file (env-file) */
    const char *value; /* the file's path, or NULL: passed on from the caller's environment */
    bool forced;       /* env-force: may come from outside although it makes programs run code */
};

enum network_mode { NETWORK_NONE, NETWORK_HOST, NETWORK_ALLOW };

/* What one command may use up; 0 is no limit. */
struct exec_limits {
    unsigned long long memory; /* bytes, of all its processes and its temporary files */
    unsigned long long processes;
    unsigned long long cpu_percent; /* of one processor's time */
    unsigned long long file_size;   /* bytes */
    unsigned long long open_files;  /* of each process */
    unsigned long long tmp_size;    /* bytes, of each writable folder that is not the view */
    unsigned long long max_output;  /* bytes of each stream that --json keeps */
    bool strict;                    /* refuse to run where one of them could be held only in part */
};

/* A host path shown read-only at another place inside. */
struct exec_bind {
    const char *source, *destination; /* absolute */
    struct setting_place place;
};

enum command_verdict { COMMAND_ALLOW, COMMAND_DENY, COMMAND_ASK };

/* A rule over command lines; see command_rules.h. */
struct command_rule {
    enum command_verdict verdict;
    const char *pattern;
    struct setting_place place;
};

#define KILL_AFTER_MS   2000
#define SESSION_IDLE_MS (60UL * 60 * 1000)
#define SESSION_COUNT   16

/* [exec NAME]: how commands run in the scope. */
struct exec_settings {
    enum network_mode network;
    const char *const *network_patterns; /* with NETWORK_ALLOW: see network_pattern.h */
    size_t network_pattern_count;
    bool ptrace;                 /* debuggers work */
    unsigned long timeout_ms;    /* 0: none */
    unsigned long kill_after_ms; /* between SIGTERM and SIGKILL */
    struct exec_limits limits;
    const struct env_setting *env; /* in the order in which they apply: the parent's first */
    size_t env_count;
    const struct exec_bind *binds;
    size_t bind_count;
    const char *rootfs;    /* absolute, or NULL: the host's own system */
    const char *workspace; /* absolute, where the view is inside; NULL: the usual place */
    const struct command_rule *command_rules;
    size_t command_rule_count;
    const char *approver;             /* absolute, who is asked; NULL: the terminal */
    unsigned long session_idle_ms;    /* when a session ends that nobody uses; 0: never */
    unsigned long long session_count; /* how many there may be at a time */
};

/* Where changes are not watched, one that is made on the host is seen within a second. */
#define CACHE_SECONDS 1.0

/* Whether the source is watched for changes: where that takes nothing from the user's other
 * programs, wherever it can be, or not. */
enum watching { WATCH_POLITELY, WATCH_ALWAYS, WATCH_NEVER };

/* What is recorded: what was refused, with what changed something, or with everything. */
enum log_mode { LOG_DENIED, LOG_WRITES, LOG_ALL };

/* Whether the kernel may read and write files of the source by itself. */
enum passthrough_mode { PASSTHROUGH_NO, PASSTHROUGH_AUTO, PASSTHROUGH_YES };

struct scope {
    const char *name;
    struct setting_place place; /* of its section */
    const char *source;         /* absolute; not resolved, it need not exist */
    const char *mount;          /* absolute, or NULL for the default place (see runtime.h) */
    const char *user;           /* user name for whom root mounts it, or NULL */
    const struct scope *parent; /* or NULL */
    unsigned long long quota;   /* bytes that the view may add, 0: no limit */
    unsigned long long inodes;  /* files that the view may add, 0: no limit */
    enum watching watching;
    double cache_seconds; /* how long the kernel may keep what is not watched */
    bool exclusive;       /* nobody else changes the source while it is mounted */
    enum passthrough_mode passthrough;
    bool submounts;   /* other file systems mounted below the source are shown */
    bool ignore_case; /* rules match without regard to ASCII case */
    struct exec_settings exec;
    enum log_mode log;
    unsigned log_targets;     /* where that goes, see audit_sink.h */
    bool automount;           /* autofs and its like may mount it when it is used */
    bool create;              /* the source is made when it is missing */
    unsigned long expires_ms; /* the view unmounts so long after it was mounted; 0: never */
    unsigned long idle_ms;    /* and when nobody used it for so long; 0: never */
    const struct policy *policy;
};

struct config {
    const char *file;                  /* as opened */
    uint64_t digest;                   /* of its bytes */
    const struct scope *const *scopes; /* in file order, without templates */
    size_t scope_count;
};

/* Reads the file, its presets and all its rules. NULL when there is an error; all of them are in
 * `diagnostics` either way, with the warnings. */
struct config *config_load(const char *file, struct diagnostics *diagnostics);

/* The digest of what is in the file now: another one means that it was changed since it was loaded.
 * Presets do not count. 0, or -1 with errno. */
int config_digest_file(const char *file, uint64_t *digest);

/* A configuration of one scope without a file: `source` as given on a command line, preset names,
 * and rules as "LEVEL=PATTERN", later ones last. Lists end with NULL. Findings name the place as
 * "--rule", with the position in the list as the line. */
struct config *config_from_options(const char *name, const char *source, const char *const *presets,
                                   const char *const *rules, struct diagnostics *diagnostics);

/* The first of ./scopefs.ini, $XDG_CONFIG_HOME/scopefs/scopefs.ini (or ~/.config/...) and
 * /etc/scopefs/scopefs.ini that exists; the caller frees it. NULL with *error set when there is
 * none. */
char *config_find(struct error **error);

/* Of the longest name of a scope, with its NUL. */
#define SCOPE_NAME_ROOM 41

/* Whether a scope could have that name. */
bool scope_name_is_valid(const char *name);

/* The scope of that name, made from a template if need be and then owned by the configuration, or
 * NULL with *error set to a message that lists those there are. */
const struct scope *config_scope(const struct config *config, const char *name,
                                 struct error **error);

void config_free(struct config *config);

#endif
