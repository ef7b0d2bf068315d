#include "view_end.h"

#include "control.h"
#include "run_file.h"
#include "unmount.h"

#include "scopefs/sandbox_file.h"

#include <time.h>

enum {
    PATIENCE_MS = 10000,
    BEFORE_FORCE_MS = 300, /* nearly all have ended by then */
    SANDBOX_TRIES = 40,
    SANDBOX_PAUSE_NS = 50 * 1000 * 1000,
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A command's end is waited for; sessions stay until they are closed. */
static void add_sessions(const struct mount_row *row, struct strbuf *text)
{
    cleanup_sandbox_list struct sandbox_list sandboxes = {0};
    sandbox_list_read(&sandboxes, NULL);
    for (size_t i = 0; i < sandboxes.count; i++) {
        const struct sandbox_record *sandbox = &sandboxes.items[i];
        if (sandbox->session && sandbox->view_major == row->major &&
            sandbox->view_minor == row->minor)
            strbuf_add_format(text, "scopefs-exec session close %s %s, ", sandbox->scope,
                              sandbox->session);
    }
}

int view_end_begin(const struct mount_row *row, struct elsewhere *elsewhere, struct error **error)
{
    for (unsigned tries = 0;; tries++) {
        cleanup_strbuf struct strbuf users = {0}, sessions = {0};
        if (!elsewhere_is_used(elsewhere, row, &users))
            return unmount_view(row->point, false, error);
        add_sessions(row, &sessions);
        if (tries == SANDBOX_TRIES)
            return error_set(
                error, 0,
                "%s is in use by %s in a mount namespace of its own, as a sandbox has; "
                "%sstop it, or add --lazy",
                row->point, users.bytes, sessions.length ? sessions.bytes : "");
        nanosleep(&(struct timespec){.tv_nsec = SANDBOX_PAUSE_NS}, NULL);
        elsewhere_free(elsewhere);
        elsewhere_read(elsewhere);
    }
}

int64_t view_end_deadline(void)
{
    return now_ms() + PATIENCE_MS;
}

static unsigned time_until(int64_t deadline)
{
    int64_t now = now_ms();
    return deadline > now ? (unsigned)(deadline - now) : 0;
}

bool view_end_wait(const struct mount_row *row, pid_t supervisor, int64_t deadline)
{
    cleanup_elsewhere struct elsewhere elsewhere = {0};
    cleanup_strbuf struct strbuf users = {0}, reply = {0};
    unsigned time_left = time_until(deadline);
    if (run_file_wait(row, supervisor, time_left < BEFORE_FORCE_MS ? time_left : BEFORE_FORCE_MS))
        return true;
    elsewhere_read(&elsewhere);
    if (!elsewhere_is_used(&elsewhere, row, &users))
        control_ask(row, "end", &reply, NULL);
    return run_file_wait(row, supervisor, time_until(deadline));
}
