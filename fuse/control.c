#include "control.h"

#include "run_file.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* A client that says nothing must not hold the supervisor. */
enum { LINE_LIMIT = 8192, PATIENCE_SECONDS = 2, ANSWER_LIMIT = 16 * 1024 * 1024 };

/* The socket's address goes by the folder's descriptor, because sun_path is short. */
static struct sockaddr_un address_of(int folder_fd, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s.sock", folder_fd,
             name);
    return address;
}

static int listen_at(int folder_fd, const char *name, struct error **error)
{
    struct sockaddr_un address = address_of(folder_fd, name);
    cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cleanup_free char *file = xasprintf("%s.sock", name);
    unlinkat(folder_fd, file, 0);
    mode_t before = umask(0177);
    int failed =
        fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 8) < 0;
    umask(before);
    if (failed)
        return error_set(error, errno, "cannot make the control socket");
    return fd_steal(&fd);
}

int control_open(struct control *control, const char *point, const char *config_file,
                 struct error **error)
{
    *control = (struct control){-1, -1, NULL};
    cleanup_fd int folder_fd = run_folder_open(error);
    if (folder_fd < 0)
        return -1;
    control->run_fd = run_file_create(folder_fd, point, config_file, &control->name, error);
    if (control->run_fd < 0)
        return -1;
    control->socket_fd = listen_at(folder_fd, control->name, error);
    return control->socket_fd < 0 ? -1 : 0;
}

static int read_line(int fd, char *line, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t got = recv(fd, line + used, size - used, 0);
        if (got <= 0)
            return -1;
        used += (size_t)got;
        char *end = memchr(line, '\n', used);
        if (end) {
            *end = '\0';
            return 0;
        }
    }
    return -1;
}

static bool is_owner(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

int control_serve(struct control *control, control_handler *handle, void *data)
{
    struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    char line[LINE_LIMIT];
    cleanup_fd int fd = accept4(control->socket_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0 || !is_owner(fd))
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (read_line(fd, line, sizeof(line)) < 0)
        return -1;
    cleanup_strbuf struct strbuf text = {0}, reply = {0};
    int result = handle(data, line, &text);
    strbuf_add_format(&reply, "%s\n%s", result < 0 ? "error" : "ok", text.bytes ? text.bytes : "");
    for (size_t sent = 0; sent < reply.length;) {
        ssize_t put = send(fd, reply.bytes + sent, reply.length - sent, MSG_NOSIGNAL);
        if (put <= 0)
            break;
        sent += (size_t)put;
    }
    return result == CONTROL_KEEP ? fd_steal(&fd) : -1;
}

/* When that is not known, it may be. */
bool control_view_is_mounted(const struct control *control)
{
    cleanup_mount_table struct mount_table table = {0};
    return !control->name || mount_table_read(&table, NULL) < 0 ||
           run_file_is_mounted(&table, control->name);
}

bool control_view_is_at(const struct control *control, const char *point)
{
    cleanup_mount_table struct mount_table table = {0};
    if (mount_table_read(&table, NULL) < 0)
        return false;
    const struct mount_row *row = mount_table_at(&table, point);
    cleanup_free char *name = row ? run_file_name(row) : NULL;
    return name && mount_row_is_view(row) && (!control->name || strcmp(control->name, name) == 0);
}

void control_close(struct control *control)
{
    free(control->name);
    control->name = NULL;
    fd_close(&control->socket_fd);
    if (control->run_fd >= 0)
        run_file_remove(control->run_fd);
    control->run_fd = -1;
}

static int connect_to(const struct mount_row *row, struct error **error)
{
    cleanup_fd int folder_fd = run_folder_open(error);
    if (folder_fd < 0)
        return -1;
    cleanup_free char *name = run_file_name(row);
    struct sockaddr_un address = address_of(folder_fd, name);
    cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return error_set(error, errno, "cannot reach the supervisor of the view at %s", row->point);
    return fd_steal(&fd);
}

int control_send(const struct mount_row *row, const char *words, struct error **error)
{
    cleanup_fd int fd = connect_to(row, error);
    if (fd < 0)
        return -1;
    cleanup_free char *line = xasprintf("%s\n", words);
    if (fd_write_all(fd, line, strlen(line)) < 0)
        return error_set(error, errno, "cannot ask the supervisor of the view at %s", row->point);
    return fd_steal(&fd);
}

/* -1 also for "error", with what came behind it in the reply; -2 when nothing came. */
static int read_answer(int fd, struct strbuf *reply)
{
    cleanup_free char *answer = NULL;
    size_t size;
    if (fd_read_file(fd, ANSWER_LIMIT, &answer, &size) < 0 || size == 0)
        return -2;
    char *text = strchr(answer, '\n');
    strbuf_add_text(reply, text ? text + 1 : "");
    return strncmp(answer, "ok\n", 3) == 0 ? 0 : -1;
}

int control_receive(int fd, struct strbuf *reply)
{
    struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    int result = read_answer(fd, reply);
    fd_close(&fd);
    return result < 0 ? -1 : 0;
}

int control_ask(const struct mount_row *row, const char *words, struct strbuf *reply,
                struct error **error)
{
    cleanup_fd int fd = control_send(row, words, error);
    int result = fd < 0 ? -1 : read_answer(fd, reply);
    if (result == -2)
        return error_set(error, 0, "the supervisor of the view at %s gave no answer", row->point);
    return result;
}
