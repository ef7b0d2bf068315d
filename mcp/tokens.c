#include "tokens.h"

#include "scopefs/config.h"
#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LIMIT   (1U << 20)
#define HASH_PREFIX  "sha256:"
#define METRICS_NAME ":metrics"
#define TOKEN_PREFIX "scopefs_"
#define TOKEN_BYTES  32

static int check_file(int fd, const char *file, struct error **error)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return error_set(error, errno, "%s", file);
    if (status.st_uid != geteuid() && status.st_uid != 0)
        return error_set(error, 0, "%s belongs to somebody else, who could let anybody in", file);
    if (status.st_mode & 077)
        return error_set(error, 0, "%s is open to others; mend it with: chmod 600 %s", file, file);
    return 0;
}

static int parse_digest(const char *text, struct principal *principal)
{
    for (size_t i = 0; i < TOKEN_DIGEST_SIZE; i++) {
        unsigned value;
        if (!isxdigit((unsigned char)text[2 * i]) || !isxdigit((unsigned char)text[2 * i + 1]))
            return -1;
        sscanf(text + 2 * i, "%2x", &value);
        principal->key[i] = (unsigned char)value;
    }
    return text[2 * TOKEN_DIGEST_SIZE] ? -1 : 0;
}

static int add_scope(struct token *token, const char *name)
{
    if (strcmp(name, METRICS_NAME) == 0) {
        token->is_for_metrics = true;
        return 0;
    }
    if (!scope_name_is_valid(name))
        return -1;
    token->scopes = xreallocarray(token->scopes, token->scope_count + 1, sizeof(*token->scopes));
    token->scopes[token->scope_count++] = xstrdup(name);
    return 0;
}

static int parse_line(struct tokens *tokens, char *line, unsigned number, struct error **error)
{
    char *rest = NULL;
    const char *digest = strtok_r(line, " \t\r", &rest);
    if (!digest || *digest == '#')
        return 0;
    struct token token = {.line = number};
    if (strncmp(digest, HASH_PREFIX, strlen(HASH_PREFIX)) != 0 ||
        parse_digest(digest + strlen(HASH_PREFIX), &token.principal) < 0)
        return error_set(error, 0,
                         "%s:%u: a line begins with sha256: and 64 hexadecimal digits; make one "
                         "with: scopefs-mcp --make-token SCOPE...",
                         tokens->file, number);
    if (tokens_have(tokens, &token.principal))
        return error_set(error, 0, "%s:%u: the token is there twice; put its scopes in one line",
                         tokens->file, number);
    tokens->items = xreallocarray(tokens->items, tokens->count + 1, sizeof(*tokens->items));
    struct token *added = &tokens->items[tokens->count++];
    *added = token;
    for (const char *name; (name = strtok_r(NULL, " \t\r", &rest));)
        if (add_scope(added, name) < 0)
            return error_set(error, 0,
                             "%s:%u: '%s' is no name of a scope; behind the token stand "
                             "names, or " METRICS_NAME,
                             tokens->file, number, name);
    if (added->scope_count == 0 && !added->is_for_metrics)
        return error_set(error, 0, "%s:%u: the token is for no scope; name one behind it",
                         tokens->file, number);
    return 0;
}

static int parse(struct tokens *tokens, char *text, size_t size, struct error **error)
{
    unsigned number = 0;
    if (strlen(text) != size)
        return error_set(error, 0, "%s: there is a NUL in it", tokens->file);
    for (char *line = text; line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end++ = '\0';
        if (parse_line(tokens, line, ++number, error) < 0)
            return -1;
        line = end;
    }
    if (tokens->count == 0)
        return error_set(error, 0,
                         "%s has no token; make one with: scopefs-mcp --make-token "
                         "SCOPE...",
                         tokens->file);
    return 0;
}

struct tokens *tokens_load(const char *file, struct error **error)
{
    cleanup_free char *text = NULL;
    size_t size;
    cleanup_fd int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        error_set(error, errno, "cannot open %s", file);
        return NULL;
    }
    if (check_file(fd, file, error) < 0)
        return NULL;
    if (fd_read_file(fd, FILE_LIMIT, &text, &size) < 0) {
        error_set(error, errno, "cannot read %s", file);
        return NULL;
    }
    struct tokens *tokens = xcalloc(1, sizeof(*tokens));
    tokens->file = xstrdup(file);
    if (parse(tokens, text, size, error) == 0)
        return tokens;
    tokens_free(tokens);
    return NULL;
}

void tokens_free(struct tokens *tokens)
{
    if (!tokens)
        return;
    for (size_t i = 0; i < tokens->count; i++) {
        for (size_t j = 0; j < tokens->items[i].scope_count; j++)
            free(tokens->items[i].scopes[j]);
        free(tokens->items[i].scopes);
    }
    free(tokens->items);
    free(tokens->file);
    free(tokens);
}

bool principal_equal(const struct principal *one, const struct principal *other)
{
    return gnutls_memcmp(one->key, other->key, sizeof(one->key)) == 0;
}

/* All are compared, so that the time does not tell which it was. */
const struct token *tokens_find(const struct tokens *tokens, const char *text)
{
    struct principal principal;
    const struct token *found = NULL;
    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, text, strlen(text), principal.key) < 0)
        return NULL;
    for (size_t i = 0; i < tokens->count; i++)
        if (principal_equal(&tokens->items[i].principal, &principal))
            found = &tokens->items[i];
    return found;
}

bool tokens_have(const struct tokens *tokens, const struct principal *principal)
{
    for (size_t i = 0; i < tokens->count; i++)
        if (principal_equal(&tokens->items[i].principal, principal))
            return true;
    return false;
}

bool token_is_for(const struct token *token, const char *scope)
{
    for (size_t i = 0; i < token->scope_count; i++)
        if (strcmp(token->scopes[i], scope) == 0)
            return true;
    return false;
}

static void add_hex(char *text, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

int token_make(const char *const *scopes, size_t count, struct error **error)
{
    unsigned char bytes[TOKEN_BYTES];
    struct principal principal;
    char text[sizeof(TOKEN_PREFIX) + 2 * TOKEN_BYTES] = TOKEN_PREFIX;
    char digest[2 * TOKEN_DIGEST_SIZE + 1];
    for (size_t i = 0; i < count; i++)
        if (strcmp(scopes[i], METRICS_NAME) != 0 && !scope_name_is_valid(scopes[i]))
            return error_set(error, 0, "'%s' is no name of a scope", scopes[i]);
    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        return error_set(error, errno, "no random numbers");
    add_hex(text + strlen(TOKEN_PREFIX), bytes, sizeof(bytes));
    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, text, strlen(text), principal.key) < 0)
        return error_set(error, 0, "SHA-256 does not work");
    add_hex(digest, principal.key, sizeof(principal.key));
    printf("token, for the client:       %s\nline, for the tokens' file:  " HASH_PREFIX "%s", text,
           digest);
    for (size_t i = 0; i < count; i++)
        printf(" %s", scopes[i]);
    putchar('\n');
    return fflush(stdout) == 0 ? 0 : error_set(error, errno, "cannot print the token");
}
