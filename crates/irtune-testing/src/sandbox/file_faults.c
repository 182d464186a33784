/*
 * Stands between a program and the system calls by which it changes files. It counts them, and ends the program or
 * refuses at one of them. For tests on Linux: compiled to a shared library, loaded with LD_PRELOAD.
 *
 * FILES_COUNT=PATH   at the end, how many changes there were is written to this file.
 * FILES_KILL=N       the change number N is done by half, where half of it can be done, and the process is killed.
 * FILES_FULL=N       from change number N on there is no space: nothing is made and nothing written.
 * FILES_DENY=N       from change number N on every change is refused, as on a file system that was remounted read-only.
 *
 * Changes are counted from 1. Terminals, pipes and sockets are none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long changes;
static long kill_at = LONG_MAX, full_at = LONG_MAX, deny_at = LONG_MAX;

static long number(const char *name) {
    const char *text = getenv(name);
    return text ? atol(text) : LONG_MAX;
}

__attribute__((constructor)) static void begin(void) {
    kill_at = number("FILES_KILL");
    full_at = number("FILES_FULL");
    deny_at = number("FILES_DENY");
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("FILES_COUNT");
    if (!path) return;
    char text[32];
    int length = snprintf(text, sizeof text, "%ld\n", atomic_load(&changes));
    int file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file >= 0 && syscall(SYS_write, file, text, length) == length) close(file);
}

static _Noreturn void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

/* Whether the next change may be made; `grows` when it needs space. Sets errno when it may not. */
static int may(int grows) {
    long now = atomic_fetch_add(&changes, 1) + 1;
    if (now == kill_at) die();
    if (now >= deny_at) { errno = EROFS; return 0; }
    if (grows && now >= full_at) { errno = ENOSPC; return 0; }
    return 1;
}

static int is_file(int descriptor) {
    struct stat found;
    return syscall(SYS_fstat, descriptor, &found) == 0 && S_ISREG(found.st_mode);
}

static int open_at(int folder, const char *path, int flags, unsigned mode) {
    int changes_files = (flags & (O_CREAT | O_TRUNC)) != 0;
    if (changes_files && !may((flags & O_CREAT) != 0)) return -1;
    return syscall(SYS_openat, folder, path, flags, mode);
}

#define MODE(last) \
    unsigned mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, last); mode = va_arg(rest, unsigned); va_end(rest); }

int open(const char *path, int flags, ...) { MODE(flags) return open_at(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return open_at(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE(flags) return open_at(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE(flags) return open_at(folder, path, flags | O_LARGEFILE, mode); }

ssize_t write(int descriptor, const void *bytes, size_t count) {
    if (is_file(descriptor)) {
        if (atomic_load(&changes) + 1 == kill_at) {
            syscall(SYS_write, descriptor, bytes, count / 2);
            die();
        }
        if (!may(1)) return -1;
    }
    return syscall(SYS_write, descriptor, bytes, count);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    if (is_file(descriptor) && !may(1)) return -1;
    return syscall(SYS_writev, descriptor, parts, count);
}

int rename(const char *from, const char *to) { return may(0) ? syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0) : -1; }
int mkdir(const char *path, mode_t mode) { return may(1) ? syscall(SYS_mkdirat, AT_FDCWD, path, mode) : -1; }
int unlink(const char *path) { return may(0) ? syscall(SYS_unlinkat, AT_FDCWD, path, 0) : -1; }
int rmdir(const char *path) { return may(0) ? syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR) : -1; }
int unlinkat(int folder, const char *path, int flags) { return may(0) ? syscall(SYS_unlinkat, folder, path, flags) : -1; }
int fsync(int descriptor) { return may(0) ? syscall(SYS_fsync, descriptor) : -1; }
int fdatasync(int descriptor) { return may(0) ? syscall(SYS_fdatasync, descriptor) : -1; }
int ftruncate(int descriptor, off_t length) { return may(0) ? syscall(SYS_ftruncate, descriptor, length) : -1; }
int ftruncate64(int descriptor, off64_t length) { return may(0) ? syscall(SYS_ftruncate, descriptor, length) : -1; }
