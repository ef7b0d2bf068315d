/*
 * How much a view may add to its source: bytes of file size and files, counted from the mount. What
 * goes through the view is taken off again when the file is really gone, which is when nobody has
 * it open any more. Sizes count, not blocks, so that a sparse file cannot be filled for nothing.
 *
 * Without a limit every call returns at once. With one, changes of file sizes go one after the
 * other, because a write and a truncation that race would otherwise both be let through.
 */
#ifndef SCOPEFS_FUSE_BUDGET_H
#define SCOPEFS_FUSE_BUDGET_H

#include <stdint.h>
#include <sys/statvfs.h>
#include <sys/types.h>

struct budget;

/* 0 means no limit. NULL when memory is gone. */
struct budget *budget_new(uint64_t bytes, uint64_t files);
void budget_free(struct budget *budget);

/* A change of the size of the file behind `fd`, from before the system call to after it. */
struct budget_change {
    struct budget *budget; /* NULL: nothing to settle */
    int fd;
    off_t before;
};

#define cleanup_budget_change __attribute__((cleanup(budget_settle)))

/* The file is about to reach at least `end` (BUDGET_APPEND: its size and `more` bytes). 0, or
 * ENOSPC when it may not. Then the system call, then budget_settle, which looks what has come of
 * it. */
#define BUDGET_APPEND ((off_t)-1)
int budget_change(struct budget *budget, int fd, off_t end, size_t more,
                  struct budget_change *change);
void budget_settle(struct budget_change *change);

/* ftruncate(2) within the budget. 0 or an errno. */
int budget_truncate(struct budget *budget, int fd, off_t size);

/* One more file: 0 or ENOSPC. */
int budget_take_file(struct budget *budget);
void budget_return_file(struct budget *budget);

/* The last descriptor of an object without a name is about to be closed. */
void budget_gone(struct budget *budget, int fd);

/* Lowers what statfs(2) tells of free space and files to what is left. */
void budget_show(struct budget *budget, struct statvfs *found);

#endif
