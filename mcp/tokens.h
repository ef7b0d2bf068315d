/*
 * Who may use which scopes over HTTP. A file has a line for each token, with its SHA-256 and the
 * scopes: whoever reads the file has no token, and that two hashes differ in their first byte says
 * nothing of the token, so that comparing them takes no care. It is taken all the same.
 */
#ifndef SCOPEFS_MCP_TOKENS_H
#define SCOPEFS_MCP_TOKENS_H

#include "scopefs/error.h"

#include <stdbool.h>
#include <stddef.h>

#define TOKEN_DIGEST_SIZE 32

/* Whose request it is: the digest of a token, or what stands for those without one. */
struct principal {
    unsigned char key[TOKEN_DIGEST_SIZE];
};

struct token {
    struct principal principal;
    char **scopes;
    size_t scope_count;
    bool is_for_metrics; /* may read /metrics */
    unsigned line;
};

struct tokens {
    char *file;
    struct token *items;
    size_t count;
};

/* Reads the file. It must belong to the caller or root, and be closed to all others. NULL with
 * *error set, which names the line and the mend. */
struct tokens *tokens_load(const char *file, struct error **error);

/* The token with that text, or NULL. */
const struct token *tokens_find(const struct tokens *tokens, const char *text);

bool principal_equal(const struct principal *one, const struct principal *other);

bool tokens_have(const struct tokens *tokens, const struct principal *principal);

bool token_is_for(const struct token *token, const char *scope);

/* Makes a token and prints it on standard output, with its line for the file. 0, or -1 with *error
 * set. */
int token_make(const char *const *scopes, size_t count, struct error **error);

void tokens_free(struct tokens *tokens);

#endif
