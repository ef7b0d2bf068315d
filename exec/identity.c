#include "identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <unistd.h>

/* The account a system administrator can make for commands of scopes without `user =`. */
#define SHARED_USER "scopefs"
/* Else this, also as the gid: of the few that nobody gives away. People have ids up to 59999 and
 * systemd's homes up to 60513; its DynamicUser= takes 61184 to 65519 at will; 65534 is the overflow
 * id, as which foreign files appear in user namespaces and on NFS (systemd's UIDS-GIDS). */
#define FALLBACK_ID 65530

static int from_account(const struct passwd *account, struct identity *identity,
                        struct error **error)
{
    if (account->pw_uid == 0 || account->pw_gid == 0)
        return error_set(error, 0,
                         "commands never run as root: give the user '%s' a uid and a group other "
                         "than 0, or name another in 'user ='",
                         account->pw_name);
    identity->uid = account->pw_uid;
    identity->gid = account->pw_gid;
    return 0;
}

int identity_choose(const struct scope *scope, struct identity *identity, struct error **error)
{
    *identity = (struct identity){.uid = geteuid(), .gid = getegid()};
    if (identity->uid != 0)
        return 0;
    identity->differs = true;
    const struct passwd *account = getpwnam(scope->user ? scope->user : SHARED_USER);
    if (account)
        return from_account(account, identity, error);
    if (scope->user)
        return error_set(error, 0, "scope %s: there is no user '%s'; create it with: useradd %s",
                         scope->name, scope->user, scope->user);
    identity->uid = FALLBACK_ID;
    identity->gid = FALLBACK_ID;
    return 0;
}

int identity_become(const struct identity *identity)
{
    if (!identity->differs)
        return 0;
    if (setgroups(0, NULL) < 0 || setresgid(identity->gid, identity->gid, identity->gid) < 0 ||
        setresuid(identity->uid, identity->uid, identity->uid) < 0)
        return -1;
    /* Nobody may find a way back. */
    if (setresuid((uid_t)-1, 0, (uid_t)-1) == 0) {
        errno = EPERM;
        return -1;
    }
    return 0;
}
