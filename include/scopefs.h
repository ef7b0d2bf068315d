/*
 * libscopefs: what an agent may do with a path, for programs that are not scopefs. It reads the
 * same configuration files and asks the same function as the mount, the sandbox and `scopefs
 * explain`, so that all of them agree. It looks at configuration files only, never at the paths it
 * decides about.
 *
 *     struct scopefs_findings *findings;
 *     struct scopefs_config *config = scopefs_load("scopefs.ini", &findings);
 *     const struct scopefs_scope *scope = scopefs_find(config, "agent", &findings);
 *     struct scopefs_decision decision;
 *     if (scopefs_decide(scope, "src/main.c", 10, 0, &decision) == 0 &&
 *         decision.level >= SCOPEFS_READ)
 *         ...
 *
 * Threads: a configuration, its scopes and what they say may be used by any number of threads at
 * once. Nobody may be using it any more when it is freed. Findings belong to one thread. Functions
 * that read files also read the environment (HOME, XDG_CONFIG_HOME), which no other thread may
 * change meanwhile.
 *
 * Memory: when it runs out while files are read, the process ends by abort(3), because rules read
 * in part would be worse. A decision that runs out of memory hides the path, and says so once on
 * standard error.
 *
 * Stability: the soname changes when a program built with an older header could no longer run.
 * Structures are filled in by the library and have room to grow; new functions get new symbols.
 */
#ifndef SCOPEFS_H
#define SCOPEFS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* From nothing to everything; a level includes those before it. */
enum scopefs_level {
    SCOPEFS_NONE,  /* does not exist for the agent */
    SCOPEFS_VIEW,  /* is listed, cannot be read */
    SCOPEFS_READ,  /* can be read */
    SCOPEFS_WRITE, /* can be read, changed, made, renamed and removed */
};

/* What a level comes from. */
enum scopefs_reason {
    SCOPEFS_BY_DEFAULT,     /* no rule covers the path: the scope's `default` */
    SCOPEFS_BY_RULE,        /* the last rule that covers it */
    SCOPEFS_BY_CEILING,     /* a ceiling gives less than the rule or the default would */
    SCOPEFS_BY_PARENT,      /* the scope's parent gives less */
    SCOPEFS_BY_WAY_THROUGH, /* a hidden directory, shown as the way to something below it */
    SCOPEFS_BY_FAILURE,     /* it could not be decided, as scopefs-rules(7) says, so it is hidden */
};

/* All of a configuration file, read once. */
struct scopefs_config;
/* One scope of it; owned by its configuration. */
struct scopefs_scope;
/* What is wrong, and what is odd, in what was read. */
struct scopefs_findings;

struct scopefs_finding {
    int is_error;        /* else a warning */
    unsigned line;       /* from 1; 0: the whole file */
    unsigned column;     /* in bytes, from 1; 0: the whole line */
    const char *file;    /* as opened */
    const char *message; /* what is wrong, and the mend; one line */
    void *reserved[4];
};

struct scopefs_decision {
    int level;       /* enum scopefs_level: what the path gets */
    int wanted;      /* what rule or default alone would give */
    int reason;      /* enum scopefs_reason */
    int visible;     /* whether it is listed, and can be asked about by stat(2) */
    unsigned line;   /* of the rule or ceiling named by `file`, from 1 */
    unsigned column; /* of its pattern, in bytes, from 1 */
    const char
        *file; /* where the deciding rule or ceiling of this scope stands; NULL: by default */
    const char *pattern; /* its pattern as written, or NULL */
    const char *parent;  /* by parent: the name of that scope; else NULL */
    void *reserved[4];
};

/* The version of the library that runs, as "0.1.0". */
const char *scopefs_version(void);

/* "none", "view", "read" or "write"; NULL for another number. */
const char *scopefs_level_name(int level);

/* Reads a configuration file, or with NULL the one that the programs would find. NULL when anything
 * in it is wrong: then nothing of it can be used. With non-NULL `findings`, *findings is set to all
 * errors and warnings, in file order, or to NULL when there are none; the caller frees them. */
struct scopefs_config *scopefs_load(const char *file, struct scopefs_findings **findings);

/* NULL is allowed. The scopes and all texts of decisions go with it. */
void scopefs_free(struct scopefs_config *config);

/* How many there are; NULL counts 0. */
size_t scopefs_findings_count(const struct scopefs_findings *findings);

/* 0 with *finding filled in, whose texts the findings own; or -1 with errno ERANGE. */
int scopefs_findings_get(const struct scopefs_findings *findings, size_t number,
                         struct scopefs_finding *finding);

/* NULL is allowed. */
void scopefs_findings_free(struct scopefs_findings *findings);

/* The names of the scopes in file order, without templates; NULL behind the last. */
const char *scopefs_scope_name(const struct scopefs_config *config, size_t number);

/* The scope of that name, made from a template ([scope agent-*]) if need be. NULL when there is
 * none or it cannot be made, with *findings as for scopefs_load. */
const struct scopefs_scope *scopefs_find(struct scopefs_config *config, const char *name,
                                         struct scopefs_findings **findings);

/* The directory that the scope shows: absolute, as configured; it need not exist. */
const char *scopefs_source(const struct scopefs_scope *scope);

/* Decides a path of `length` bytes, relative to the scope's root; leading, trailing and repeated
 * slashes and "." count nothing. It need not exist, and existing changes nothing. `is_directory`
 * says what it is, or would be: of hidden directories some are shown as the way to what is below,
 * which sets `visible` and the reason, never the level. 0, or -1 with errno EINVAL for a path with
 * ".." or a NUL byte, which has no meaning here, and *decision untouched. */
int scopefs_decide(const struct scopefs_scope *scope, const char *path, size_t length,
                   int is_directory, struct scopefs_decision *decision);

#ifdef __cplusplus
}
#endif

#endif
