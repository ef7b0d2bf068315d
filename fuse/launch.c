#include "launch.h"

#include "daemon.h"
#include "mount_point.h"
#include "run_file.h"
#include "scopefs/audit_sink.h"
#include "service_notify.h"
#include "session.h"
#include "source_folder.h"

#include "scopefs/fd.h"
#include "scopefs/log.h"
#include "scopefs/mem.h"
#include "scopefs/runtime.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

/* Who may use the view, when root mounts it for somebody. */
static int find_user(const struct launch *options, struct session_plan *plan, struct error **error)
{
    const struct scope *scope = options->scope;
    if (!options->for_user && !scope->user)
        return 0;
    plan->user = options->user;
    plan->group = options->group;
    if (!options->for_user) {
        const struct passwd *entry = getpwnam(scope->user);
        if (!entry)
            return error_set(error, 0, "scope %s: there is no user '%s'; create it with useradd",
                             scope->name, scope->user);
        plan->user = entry->pw_uid;
        plan->group = entry->pw_gid;
    }
    plan->for_one_user = geteuid() == 0;
    if (!plan->for_one_user && plan->user != geteuid())
        return error_set(error, 0, "scope %s is for user %u; mount it as root or as that user",
                         scope->name, plan->user);
    return 0;
}

struct mounting {
    struct daemon daemon;
    struct session_plan plan;
};

static void started(void *data)
{
    struct mounting *mounting = data;
    log_info("%s: mounted on %s", mounting->plan.scope->name, mounting->plan.point->path);
    daemon_ready(&mounting->daemon);
    service_notify("READY=1");
}

static int serve(struct mounting *mounting, struct mount_point *point, struct error **error)
{
    mounting->plan.report_fd = mounting->daemon.report_fd;
    mounting->plan.on_start = started;
    mounting->plan.on_start_data = mounting;
    int result = session_run(&mounting->plan, error);
    if (result < 0)
        daemon_failed(&mounting->daemon, *error);
    else
        log_info("%s: unmounted", mounting->plan.scope->name);
    mount_point_close(point);
    return result;
}

char *launch_place(const struct scope *scope)
{
    return scope->mount ? xstrdup(scope->mount) : runtime_mount_path(scope->name);
}

char *launch_clean_place(const struct scope *scope)
{
    cleanup_free char *place = launch_place(scope);
    char *clean = mount_point_clean_path(place, NULL);
    return clean ? clean : xstrdup(place);
}

/* Everything that can be wrong is found here, in the caller's process, before the daemon starts. */
static int prepare(const struct launch *launch, const struct session_plan *plan,
                   struct mount_point *point, struct error **error)
{
    cleanup_free char *place = launch->place ? xstrdup(launch->place) : launch_place(launch->scope);
    if (!launch->place && !launch->scope->mount) {
        cleanup_fd int runtime_fd = runtime_open(error);
        if (runtime_fd < 0)
            return -1;
    }
    if (audit_sink_probe(launch->scope->log_targets, error) < 0)
        return error_wrap(error, "scope %s", launch->scope->name);
    bool for_one = plan->for_one_user;
    if (launch->scope->create && source_folder_make(launch->scope, for_one ? plan->user : geteuid(),
                                                    for_one ? plan->group : getegid(), error) < 0)
        return -1;
    cleanup_fd int source_fd = mount_point_open_source(launch->scope, error);
    if (source_fd < 0 || mount_point_open(place, !launch->place, source_fd, point, error) < 0)
        return -1;
    return fd_steal(&source_fd);
}

int launch_view(const struct launch *launch, struct error **error)
{
    struct mounting mounting = {.daemon = {.report_fd = -1},
                                .plan = {.scope = launch->scope, .for_all = launch->for_all}};
    struct mount_point point;
    if (find_user(launch, &mounting.plan, error) < 0)
        return -1;
    cleanup_fd int source_fd = prepare(launch, &mounting.plan, &point, error);
    if (source_fd < 0)
        return -1;
    mounting.plan.source_fd = source_fd;
    mounting.plan.point = &point;
    cleanup_free char *config_file =
        launch->config_file ? realpath(launch->config_file, NULL) : NULL;
    mounting.plan.config_file = config_file;
    mounting.plan.config_digest = launch->config_digest;
    if (launch->foreground)
        return serve(&mounting, &point, error);

    cleanup_fd int log_fd = run_file_open_log(launch->scope->name, error);
    int child = log_fd < 0 ? -1 : daemon_start(&mounting.daemon, error);
    if (child < 0 && log_fd < 0)
        mount_point_close(&point);
    else if (child != 0)
        mount_point_leave(&point);
    if (child != 0)
        return child < 0 ? -1 : 0;
    log_to(log_fd, LOG_LEVEL_INFO);
    int result = serve(&mounting, &point, error);
    _exit(result < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}
