#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

// Newer than Debian 12's headers; the numbers are the same on every architecture with the generic table.
#define SETXATTRAT 463
#define GETXATTRAT 464
#define LISTXATTRAT 465
#define REMOVEXATTRAT 466

struct xattr_arguments {
    uint64_t value __attribute__((aligned(8)));
    uint32_t size;
    uint32_t flags;
};

// Set once the kernel has said that it does not know the calls.
static atomic_int is_missing;

static int missing(long result) {
    if (result >= 0 || errno != ENOSYS) return 0;
    atomic_store_explicit(&is_missing, 1, memory_order_relaxed);
    return 1;
}

static int through_proc(int directory, const char *path, char *buffer, size_t size) {
    int length = snprintf(buffer, size, "/proc/self/fd/%d/%s", directory, path);
    if (length >= 0 && (size_t)length < size) return 0;
    errno = ENAMETOOLONG;
    return -1;
}

#define ROOM (PATH_MAX + 64)

ssize_t clinux_getxattrat(int directory, const char *path, const char *name, void *value, size_t size) {
    if (!atomic_load_explicit(&is_missing, memory_order_relaxed)) {
        struct xattr_arguments arguments = {(uint64_t)(uintptr_t)value, (uint32_t)size, 0};
        long result =
            syscall(GETXATTRAT, directory, path, AT_SYMLINK_NOFOLLOW, name, &arguments, sizeof arguments);
        if (!missing(result)) return result;
    }
    char full[ROOM];
    return through_proc(directory, path, full, sizeof full) < 0 ? -1 : lgetxattr(full, name, value, size);
}

int clinux_setxattrat(int directory, const char *path, const char *name, const void *value, size_t size, int flags) {
    if (!atomic_load_explicit(&is_missing, memory_order_relaxed)) {
        struct xattr_arguments arguments = {(uint64_t)(uintptr_t)value, (uint32_t)size, (uint32_t)flags};
        long result =
            syscall(SETXATTRAT, directory, path, AT_SYMLINK_NOFOLLOW, name, &arguments, sizeof arguments);
        if (!missing(result)) return (int)result;
    }
    char full[ROOM];
    return through_proc(directory, path, full, sizeof full) < 0 ? -1 : lsetxattr(full, name, value, size, flags);
}

ssize_t clinux_listxattrat(int directory, const char *path, char *list, size_t size) {
    if (!atomic_load_explicit(&is_missing, memory_order_relaxed)) {
        long result = syscall(LISTXATTRAT, directory, path, AT_SYMLINK_NOFOLLOW, list, size);
        if (!missing(result)) return result;
    }
    char full[ROOM];
    return through_proc(directory, path, full, sizeof full) < 0 ? -1 : llistxattr(full, list, size);
}

int clinux_removexattrat(int directory, const char *path, const char *name) {
    if (!atomic_load_explicit(&is_missing, memory_order_relaxed)) {
        long result = syscall(REMOVEXATTRAT, directory, path, AT_SYMLINK_NOFOLLOW, name);
        if (!missing(result)) return (int)result;
    }
    char full[ROOM];
    return through_proc(directory, path, full, sizeof full) < 0 ? -1 : lremovexattr(full, name);
}

int clinux_filesystem_uuid(int fd, uint8_t uuid[16]) {
    struct {
        uint8_t length;
        uint8_t bytes[16];
    } result;
    memset(&result, 0, sizeof result);
    if (ioctl(fd, _IOR(0x15, 0, __typeof__(result)), &result) < 0) return -1;
    if (result.length != 16) {
        errno = EOPNOTSUPP;
        return -1;
    }
    memcpy(uuid, result.bytes, 16);
    return 0;
}
