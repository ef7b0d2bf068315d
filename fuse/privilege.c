#include "privilege.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct capabilities {
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct words[2];
};

static int get(struct capabilities *capabilities)
{
    *capabilities = (struct capabilities){.header.version = _LINUX_CAPABILITY_VERSION_3};
    return syscall(SYS_capget, &capabilities->header, capabilities->words) < 0 ? errno : 0;
}

static int set(struct capabilities *capabilities)
{
    return syscall(SYS_capset, &capabilities->header, capabilities->words) < 0 ? errno : 0;
}

/* Root serves another user's files: permissions and ownership of the source must not stand in the
 * way of what the rules allow. CAP_FSETID is not in effect, so that the source's file system takes
 * setuid and setgid bits off with every change as it does for everybody. */
int privilege_drop(struct error **error)
{
    static const unsigned effective[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH,
                                         CAP_FOWNER};
    struct capabilities have, want;
    int failed = get(&have);
    if (failed)
        return error_set(error, failed, "cannot read the capabilities");
    want = (struct capabilities){.header = have.header};
    for (size_t i = 0; i < sizeof(effective) / sizeof(effective[0]); i++) {
        unsigned word = CAP_TO_INDEX(effective[i]), bit = CAP_TO_MASK(effective[i]);
        want.words[word].effective |= have.words[word].permitted & bit;
        want.words[word].permitted |= have.words[word].permitted & bit;
    }
    want.words[0].permitted |= have.words[0].permitted & CAP_TO_MASK(CAP_FSETID);
    failed = set(&want);
    return failed ? error_set(error, failed, "cannot drop capabilities") : 0;
}

int privilege_keep_admin(void)
{
    struct capabilities have, want;
    int failed = get(&have);
    if (failed)
        return failed;
    want = (struct capabilities){.header = have.header};
    want.words[CAP_TO_INDEX(CAP_SYS_ADMIN)].permitted = CAP_TO_MASK(CAP_SYS_ADMIN);
    want.words[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective = CAP_TO_MASK(CAP_SYS_ADMIN);
    return set(&want);
}

/* Whether it was not in effect before and is now. */
static bool raise_setid(struct capabilities *before)
{
    if (get(before) != 0 || !(before->words[0].permitted & CAP_TO_MASK(CAP_FSETID)))
        return false;
    struct capabilities raised = *before;
    raised.words[0].effective |= CAP_TO_MASK(CAP_FSETID);
    return set(&raised) == 0;
}

int privilege_chmod(int directory_fd, const char *name, mode_t mode)
{
    struct capabilities before;
    bool raised = (mode & S_ISGID) && raise_setid(&before);
    int failed = fchmodat(directory_fd, name, mode, 0) < 0 ? errno : 0;
    if (raised)
        set(&before);
    return failed;
}
