/* The shipped presets, and how presets are found and included. */
#include "../tap.h"
#include "sandbox.h"

#include "scopefs/mem.h"

static struct config *load_preset(const char *name, const char *rules)
{
    cleanup_free char *text =
        xasprintf("[scope s]\nsource = /s\npreset = %s\n[rules s]\n%s\n", name, rules);
    return must_load(text);
}

static void write_preset(const char *name, const char *text)
{
    cleanup_free char *path = xasprintf("config/scopefs/presets/%s.ini", name);
    sandbox_write(path, text, strlen(text));
}

static const char *const secrets[] = {
    ".env",
    "a/.env",
    ".env/x",
    ".env.local",
    ".env.",
    ".env.e",
    ".env.ex",
    ".env.exam",
    ".env.exampl",
    ".env.production",
    ".env.example2",
    ".env.examples",
    ".env.exbmple",
    "server.pem",
    ".pem",
    "c.pem",
    "cacer.pem",
    "cert.pem",
    "cabert.pem",
    "cacert2.pem",
    "cacert.key.pem",
    "my-cacert.pem",
    "cacert.pem.key",
    "a/b/x.key",
    "x.key/inside",
    "vault.kdbx",
    "x.p12",
    "x.pfx",
    "id_rsa",
    "id_rsa.pub",
    "id_ed25519",
    "id_ecdsa_sk",
    "id_dsa",
    ".ssh",
    ".ssh/config",
    "home/.ssh/known_hosts",
    ".gnupg/x",
    "credentials",
    "credentials.json",
    "a/credentials/b",
    "secrets",
    "secrets/a",
    "config/secrets/b",
    ".aws/config",
    ".netrc",
    ".npmrc",
    "web/.pypirc",
    ".git-credentials",
    "service-account.json",
    "service_account.json",
    "serviceaccounts.json",
    "my-service-account.json",
    "prod.service-account.json",
    "service-account-prod.json",
    ".kube/config",
    "kubeconfig",
    "kubeconfig.yaml",
    "prod.kubeconfig",
};

static const char *const no_secrets[] = {
    "",
    "a",
    ".env.example",
    "web/.env.example",
    ".envy",
    "env",
    "a.env",
    "key",
    "keys",
    "pem",
    "x.pem.txt",
    "venv/lib/certifi/cacert.pem",
    "id_rs",
    "my_id_rsa",
    "secret",
    "secrets.txt",
    "ssh",
    "aws",
    ".npmignore",
    "service.json",
    "account.json",
    "kube",
    "package.json",
};

static void check_secrets(void)
{
    struct config *config = load_preset("secrets", "write = /\nwrite = .env\nwrite = .ssh/");
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
        is_string(level_of(config, "s", secrets[i]), "none", "secrets hides '%s'", secrets[i]);
    for (size_t i = 0; i < sizeof(no_secrets) / sizeof(no_secrets[0]); i++)
        is_string(level_of(config, "s", no_secrets[i]), "write", "secrets lets '%s' be",
                  no_secrets[i]);
    config_free(config);
}

static const struct {
    const char *preset, *path, *level;
} shipped[] = {
    {"agent-safe", "", "read"},
    {"agent-safe", "src/a.c", "read"},
    {"agent-safe", "output", "write"},
    {"agent-safe", "output/a/b", "write"},
    {"agent-safe", "tmp/x", "write"},
    {"agent-safe", "src/output", "read"},
    {"agent-safe", "output/.env", "none"},
    {"agent-safe", ".git/config", "read"},
    {"agent-safe", "output/.git", "read"},
    {"development", "", "write"},
    {"development", "a/b", "write"},
    {"development", "a/.env", "none"},
    {"development", ".git/config", "write"},
    {"read-only", "", "read"},
    {"read-only", ".env", "read"},
    {"view-only", "a/b", "view"},
    {"full-access", ".env", "write"},
    {"full-access", "", "write"},
};

static void check_shipped(void)
{
    for (size_t i = 0; i < sizeof(shipped) / sizeof(shipped[0]); i++) {
        struct config *config = load_preset(shipped[i].preset, "");
        is_string(level_of(config, "s", shipped[i].path), shipped[i].level, "%s: '%s' is %s",
                  shipped[i].preset, shipped[i].path, shipped[i].level);
        config_free(config);
    }
    struct config *config = load_preset("agent-safe", "write = /");
    is_string(level_of(config, "s", ".git/config"), "read", "agent-safe: .git is never writable");
    is_string(level_of(config, "s", "a"), "write", "rules come behind the preset's");
    config_free(config);
}

static void check_order(void)
{
    write_preset("one", "[preset]\npreset = two\ndescription = x\n[rules]\nread = /a\nview = /b\n");
    write_preset("two", "[rules]\nnone = /a\nwrite = /b\nwrite = /c\n[ceiling]\nread = /c\n");
    struct config *config = load_preset("one\npreset = read-only", "");
    is_string(level_of(config, "s", "a"), "read", "a later preset wins over an earlier one");
    is_string(level_of(config, "s", "c"), "read", "a ceiling of an included preset holds");
    config_free(config);
    config = load_preset("read-only\npreset = one", "");
    is_string(level_of(config, "s", "a"), "read", "a preset's own rules win over its presets'");
    is_string(level_of(config, "s", "b"), "view", "each of them");
    struct verdict verdict = state_verdict(policy_find(config->scopes[0]->policy, "b", 1));
    cleanup_free char *file = xasprintf("%s/config/scopefs/presets/one.ini", sandbox());
    is_string(verdict.rule->file, file, "a preset's rule has the preset's file as its place");
    is_int(verdict.rule->line, 6, "and its line");
    config_free(config);
}

static void check_two_scopes(void)
{
    struct config *config = must_load("[scope a]\nsource = /a\npreset = one\ncase = ignore\n"
                                      "[scope b]\nsource = /b\npreset = one\n");
    is_string(level_of(config, "a", "B"), "view", "two scopes may use one preset");
    is_string(level_of(config, "b", "B"), "none", "each in its own way");
    config_free(config);
}

static void is_refused(const char *preset, const char *expected, const char *about)
{
    cleanup_diagnostics struct diagnostics found = {0};
    cleanup_free char *text =
        xasprintf("[scope s]\nsource = /s\npreset = %s\n[scope t]\nsource = /t\n", preset);
    struct config *config = load_text(text, &found);
    cleanup_free char *said = diagnostics_text(&found);
    is_string(said, expected, "%s", about);
    ok(!config, "and nothing is loaded");
    config_free(config);
}

static void check_errors(void)
{
    write_preset("self", "[preset]\npreset = self\n");
    is_refused("self",
               "config/scopefs/presets/self.ini:2:10: error: the preset 'self' includes itself "
               "this way; take it out\n",
               "a preset that includes itself");
    write_preset("ring", "[preset]\npreset = ring2\n");
    write_preset("ring2", "[preset]\n\npreset = ring\n");
    is_refused("ring",
               "config/scopefs/presets/ring2.ini:3:10: error: the preset 'ring' includes itself "
               "this way; take it out\n",
               "presets in a ring");
    write_preset("bad", "[rules x]\nnone = a\n[scope]\n[rules]\nnoun = a\nnone = a//b\n"
                        "[preset]\nsource = /x\npreset = missing-one\n");
    is_refused("bad",
               "config/scopefs/presets/bad.ini:1:8: error: sections of a preset have no scope's "
               "name; write [rules]\n"
               "config/scopefs/presets/bad.ini:3:2: error: unknown section 'scope'; there are: "
               "preset, rules, ceiling, exec\n"
               "config/scopefs/presets/bad.ini:5:1: error: unknown level 'noun' in [rules]; did "
               "you mean 'none'?\n"
               "config/scopefs/presets/bad.ini:6:10: error: empty name between two slashes; write "
               "one slash\n"
               "config/scopefs/presets/bad.ini:8:1: error: unknown key 'source' in [preset]; there "
               "are: description, preset\n"
               "config/scopefs/presets/bad.ini:9:10: error: unknown preset 'missing-one'; there "
               "are: agent-safe, bad, dangerous, development, full-access, one, read-only, ring, ring2, "
               "secrets, self, two, view-only\n",
               "every error of a preset, in its own file");
}

static void check_user_first(void)
{
    cleanup_free char *link = xasprintf("%s/config/scopefs/presets/view-only.ini", sandbox());
    remove(link);
    write_preset("view-only", "[rules]\nread = /\n");
    struct config *config = load_preset("view-only", "");
    is_string(level_of(config, "s", "a"), "read", "the user's preset comes before the shipped one");
    config_free(config);
}

int main(void)
{
    check_secrets();
    check_shipped();
    check_order();
    check_two_scopes();
    check_errors();
    check_user_first();
    return done_testing();
}
