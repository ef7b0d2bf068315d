/*
 * Which files the registrar of backing files takes from a server that it must not trust. The device
 * is /dev/null here, which refuses what the registrar lets through by ENOTTY. For root. Run as:
 *     registrar FOLDER
 */
#include "../tap.h"

#include "../../fuse/registrar.h"
#include "files.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int folder_fd, socket_fd;

/* The answer for a file in the folder, opened so. */
static int answer_for(const char *name, int flags)
{
    cleanup_fd int fd = openat(folder_fd, name, flags | O_CLOEXEC | O_NONBLOCK, 0600);
    must(fd, name);
    return registrar_open(socket_fd, fd);
}

static void make(void)
{
    must(mkdirat(folder_fd, "source", 0755), "source");
    must(mkdirat(folder_fd, "source/folder", 0755), "folder");
    must(mkdirat(folder_fd, "source-too", 0755), "source-too");
    must(mkfifoat(folder_fd, "source/fifo", 0600), "fifo");
}

static void test_files(void)
{
    is_int(answer_for("source/file", O_RDWR | O_CREAT), -ENOTTY, "a file in the source is taken");
    is_int(answer_for("source/folder/file", O_RDWR | O_CREAT), -ENOTTY, "and one further below");
    is_int(answer_for("source/file", O_RDONLY), -ENOTTY, "also one that can be read alone");
    is_int(answer_for("source/file", O_PATH), -EBADF, "not one that was only found, not opened");
    is_int(answer_for("source/folder", O_RDONLY), -EINVAL, "no directory");
    is_int(answer_for("source/fifo", O_RDWR), -EINVAL, "no FIFO");
    is_int(answer_for("outside", O_RDWR | O_CREAT), -EXDEV, "no file beside the source");
    is_int(answer_for("source-too/file", O_RDWR | O_CREAT), -EXDEV,
           "nor in a folder whose name only begins like it");
    is_int(answer_for("/proc/self/status", O_RDONLY), -EXDEV, "nor of another file system");
    is_int(registrar_open(socket_fd, socket_fd), -EINVAL, "no socket");
}

static void test_moves(void)
{
    cleanup_fd int fd = openat(folder_fd, "source/moved", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(fd, "moved");
    must(renameat(folder_fd, "source/moved", folder_fd, "moved"), "rename");
    is_int(registrar_open(socket_fd, fd), -EXDEV, "not one that was moved out of the source");
    must(renameat(folder_fd, "moved", folder_fd, "source/moved"), "rename");
    must(renameat(folder_fd, "source", folder_fd, "new"), "rename");
    is_int(registrar_open(socket_fd, fd), -ENOTTY, "the source itself may be moved");
    must(unlinkat(folder_fd, "new/moved", 0), "unlink");
    is_int(registrar_open(socket_fd, fd), -ENOTTY, "a file without a name is still the source's");
}

static void test_nonsense(void)
{
    int32_t nothing = 0, result = 0;
    must(send(socket_fd, &nothing, sizeof(nothing), 0), "send");
    must(recv(socket_fd, &result, sizeof(result), 0), "receive");
    is_int(result, -EBADF, "a request without a file is refused");
    registrar_close(socket_fd, 12345);
    is_int(answer_for("new/file", O_RDONLY), -ENOTTY, "an unknown id is forgotten without harm");
}

int main(int argc, char **argv)
{
    int status = 0;
    cleanup_error struct error *error = NULL;
    folder_fd = argc == 2 ? open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    cleanup_fd int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    must(folder_fd, "the folder");
    make();
    cleanup_fd int source_fd = openat(folder_fd, "source", O_PATH | O_DIRECTORY | O_CLOEXEC);
    socket_fd = registrar_start(null_fd, source_fd, false, &error);
    must(socket_fd, "registrar");
    test_files();
    test_moves();
    test_nonsense();
    close(socket_fd);
    must(wait(&status), "wait");
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "it ends when nobody asks any more");
    return done_testing();
}
