#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define _FILE_OFFSET_BITS 64
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

const int32_t clinux_O_PATH = O_PATH;
const int32_t clinux_O_TMPFILE = O_TMPFILE;
const int32_t clinux_O_DIRECT = O_DIRECT;
const int32_t clinux_O_NOATIME = O_NOATIME;
const int32_t clinux_O_LARGEFILE = O_LARGEFILE;
const int32_t clinux_AT_EMPTY_PATH = AT_EMPTY_PATH;
const uint64_t clinux_RESOLVE_BENEATH = RESOLVE_BENEATH;
const uint64_t clinux_RESOLVE_NO_SYMLINKS = RESOLVE_NO_SYMLINKS;
const uint64_t clinux_RESOLVE_NO_MAGICLINKS = RESOLVE_NO_MAGICLINKS;
const uint64_t clinux_RESOLVE_NO_XDEV = RESOLVE_NO_XDEV;
const uint64_t clinux_RESOLVE_IN_ROOT = RESOLVE_IN_ROOT;

int clinux_stat(int directory, const char *path, int flags, struct clinux_stat *result) {
    struct statx st;
    if (statx(directory, path, flags | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_BTIME | 0x1000 /* MNT_ID */, &st) < 0)
        return -1;
    result->ino = st.stx_ino;
    result->size = st.stx_size;
    result->blocks = st.stx_blocks;
    result->dev = makedev(st.stx_dev_major, st.stx_dev_minor);
    result->rdev = makedev(st.stx_rdev_major, st.stx_rdev_minor);
    result->mount_id = (st.stx_mask & 0x1000) ? st.stx_mnt_id : 0;
    result->attributes = st.stx_attributes;
    result->atime_sec = st.stx_atime.tv_sec;
    result->mtime_sec = st.stx_mtime.tv_sec;
    result->ctime_sec = st.stx_ctime.tv_sec;
    result->btime_sec = st.stx_btime.tv_sec;
    result->atime_nsec = st.stx_atime.tv_nsec;
    result->mtime_nsec = st.stx_mtime.tv_nsec;
    result->ctime_nsec = st.stx_ctime.tv_nsec;
    result->btime_nsec = st.stx_btime.tv_nsec;
    result->mode = st.stx_mode;
    result->nlink = st.stx_nlink;
    result->uid = st.stx_uid;
    result->gid = st.stx_gid;
    result->blksize = st.stx_blksize;
    result->mask = st.stx_mask;
    return 0;
}

static void fill_statfs(const struct statfs *st, struct clinux_statfs *result) {
    result->type = (uint64_t)st->f_type;
    result->block_size = (uint64_t)st->f_bsize;
    result->blocks = st->f_blocks;
    result->blocks_free = st->f_bfree;
    result->blocks_available = st->f_bavail;
    result->files = st->f_files;
    result->files_free = st->f_ffree;
    result->name_length = (uint64_t)st->f_namelen;
    result->fragment_size = (uint64_t)st->f_frsize;
    result->flags = (uint64_t)st->f_flags;
}

int clinux_statfs(const char *path, struct clinux_statfs *result) {
    struct statfs st;
    if (statfs(path, &st) < 0) return -1;
    fill_statfs(&st, result);
    return 0;
}

int clinux_fstatfs(int fd, struct clinux_statfs *result) {
    struct statfs st;
    if (fstatfs(fd, &st) < 0) return -1;
    fill_statfs(&st, result);
    return 0;
}

uint64_t clinux_makedev(uint32_t major, uint32_t minor) { return makedev(major, minor); }
uint32_t clinux_major(uint64_t device) { return major(device); }
uint32_t clinux_minor(uint64_t device) { return minor(device); }

ssize_t clinux_readlinkat(int directory, const char *path, void *buffer, size_t size) {
    return readlinkat(directory, path, buffer, size);
}
int clinux_pipe2(int32_t *ends, int flags) { return pipe2(ends, flags); }

int clinux_openat(int directory, const char *path, int flags, uint32_t mode) {
    return openat(directory, path, flags, mode);
}

int clinux_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int clinux_mknodat(int directory, const char *path, uint32_t mode, uint64_t device) {
    return mknodat(directory, path, mode, device);
}

int clinux_renameat2(int from, const char *old_path, int to, const char *new_path, uint32_t flags) {
    return renameat2(from, old_path, to, new_path, flags);
}

int clinux_utimensat(int directory, const char *path, int64_t atime_sec, int64_t atime_nsec, int64_t mtime_sec,
                     int64_t mtime_nsec, int flags) {
    struct timespec times[2] = {{atime_sec, atime_nsec}, {mtime_sec, mtime_nsec}};
    return utimensat(directory, path, times, flags);
}

#define HANDLE_LIMIT 128

int clinux_name_to_handle_at(int directory, const char *path, int flags, uint8_t *handle, uint32_t *size, int32_t *type,
                             int32_t *mount_id) {
    union {
        struct file_handle header;
        char room[sizeof(struct file_handle) + HANDLE_LIMIT];
    } buffer;
    buffer.header.handle_bytes = HANDLE_LIMIT;
    int mount = 0;
    if (name_to_handle_at(directory, path, &buffer.header, &mount, flags) < 0) return -1;
    memcpy(handle, buffer.header.f_handle, buffer.header.handle_bytes);
    *size = buffer.header.handle_bytes;
    *type = buffer.header.handle_type;
    *mount_id = mount;
    return 0;
}

int clinux_open_by_handle_at(int mount_fd, const uint8_t *handle, uint32_t size, int32_t type, int flags) {
    union {
        struct file_handle header;
        char room[sizeof(struct file_handle) + HANDLE_LIMIT];
    } buffer;
    if (size > HANDLE_LIMIT) {
        errno = EINVAL;
        return -1;
    }
    buffer.header.handle_bytes = size;
    buffer.header.handle_type = type;
    memcpy(buffer.header.f_handle, handle, size);
    return open_by_handle_at(mount_fd, &buffer.header, flags);
}

ssize_t clinux_copy_file_range(int from, int64_t *from_offset, int to, int64_t *to_offset, size_t length,
                               uint32_t flags) {
    return copy_file_range(from, (off64_t *)from_offset, to, (off64_t *)to_offset, length, flags);
}

int clinux_ficlone(int to, int from) { return ioctl(to, FICLONE, from); }
int64_t clinux_dedupe_range(int from, int64_t offset, int64_t length, int to, int64_t to_offset) {
    struct {
        struct file_dedupe_range range;
        struct file_dedupe_range_info info;
    } request = {
        .range = {.src_offset = (uint64_t)offset, .src_length = (uint64_t)length, .dest_count = 1},
        .info = {.dest_fd = to, .dest_offset = (uint64_t)to_offset},
    };
    if (ioctl(from, FIDEDUPERANGE, &request) < 0) return -1;
    if (request.info.status < 0) {
        errno = -request.info.status;
        return -1;
    }
    return request.info.status == FILE_DEDUPE_RANGE_SAME ? (int64_t)request.info.bytes_deduped : 0;
}
int clinux_extent(int fd, int64_t offset, uint64_t *logical, uint64_t *physical, uint64_t *length) {
    struct {
        struct fiemap map;
        struct fiemap_extent extent;
    } request = {
        .map = {.fm_start = (uint64_t)offset, .fm_length = FIEMAP_MAX_OFFSET - (uint64_t)offset,
                .fm_flags = FIEMAP_FLAG_SYNC, .fm_extent_count = 1},
    };
    if (ioctl(fd, FS_IOC_FIEMAP, &request) < 0) return -1;
    if (request.map.fm_mapped_extents == 0) return 0;
    *logical = request.extent.fe_logical;
    *physical = request.extent.fe_physical;
    *length = request.extent.fe_length;
    return 1;
}
int clinux_fallocate(int fd, int mode, int64_t offset, int64_t length) { return fallocate(fd, mode, offset, length); }
int clinux_syncfs(int fd) { return syncfs(fd); }

ssize_t clinux_fgetxattr(int fd, const char *name, void *value, size_t size) { return fgetxattr(fd, name, value, size); }
ssize_t clinux_lgetxattr(const char *path, const char *name, void *value, size_t size) {
    return lgetxattr(path, name, value, size);
}
int clinux_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags) {
    return fsetxattr(fd, name, value, size, flags);
}
int clinux_lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags) {
    return lsetxattr(path, name, value, size, flags);
}
ssize_t clinux_flistxattr(int fd, char *list, size_t size) { return flistxattr(fd, list, size); }
ssize_t clinux_llistxattr(const char *path, char *list, size_t size) { return llistxattr(path, list, size); }
int clinux_fremovexattr(int fd, const char *name) { return fremovexattr(fd, name); }
int clinux_lremovexattr(const char *path, const char *name) { return lremovexattr(path, name); }

ssize_t clinux_getxattr(const char *path, const char *name, void *value, size_t size) {
    return getxattr(path, name, value, size);
}
int clinux_setxattr(const char *path, const char *name, const void *value, size_t size, int flags) {
    return setxattr(path, name, value, size, flags);
}
ssize_t clinux_listxattr(const char *path, char *list, size_t size) { return listxattr(path, list, size); }
int clinux_removexattr(const char *path, const char *name) { return removexattr(path, name); }

const char *clinux_error_text(int number) {
    const char *text = strerrordesc_np(number);
    return text ? text : "unknown error";
}

int clinux_mount(const char *source, const char *target, const char *type, uint64_t flags, const char *data) {
    return mount(source, target, type, flags, data);
}
int clinux_umount2(const char *target, int flags) { return umount2(target, flags); }
int clinux_unshare(int flags) { return unshare(flags); }
int clinux_setns(int fd, int type) { return setns(fd, type); }
int clinux_open_tree(int directory, const char *path, uint32_t flags) {
    return (int)syscall(SYS_open_tree, directory, path, flags);
}
int clinux_mount_setattr(int directory, const char *path, uint32_t flags, uint64_t set, uint64_t clear,
                         uint64_t propagation) {
    uint64_t attributes[4] = {set, clear, propagation, 0}; // struct mount_attr
    return (int)syscall(SYS_mount_setattr, directory, path, flags, attributes, sizeof attributes);
}

int clinux_move_mount(int from, int to) {
    // MOVE_MOUNT_F_EMPTY_PATH and MOVE_MOUNT_T_EMPTY_PATH
    return (int)syscall(SYS_move_mount, from, "", to, "", 0x4 | 0x40);
}

int clinux_mount_identity(int directory, const char *path, int flags, uint64_t *id, uint64_t *device) {
    struct statx st;
    // MNT_ID_UNIQUE (kernel 6.8), else MNT_ID (5.8). An older kernel leaves out what it does not know.
    const unsigned masks[] = {0x4000, 0x1000};
    for (int i = 0; i < 2; i++) {
        // DONT_SYNC: what a file system's server would have to answer is not asked, and that server may be dead.
        if (statx(directory, path, flags | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, masks[i], &st) < 0) return -1;
        *device = makedev(st.stx_dev_major, st.stx_dev_minor);
        *id = st.stx_mnt_id;
        if (st.stx_mask & masks[i]) return 0;
    }
    *id = 0;
    return 0;
}

// The raw calls: glibc's setfsuid is per thread already, and the return value is the previous id, never an error.
int clinux_setfsuid(uint32_t uid) { return setfsuid(uid); }
int clinux_setfsgid(uint32_t gid) { return setfsgid(gid); }

int clinux_pidfd_open(int32_t pid, uint32_t flags) { return (int)syscall(SYS_pidfd_open, pid, flags); }
int clinux_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}
int clinux_lock_byte(int fd, uint64_t offset) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)offset, .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &lock);
}
int clinux_close_range(uint32_t first, uint32_t last, uint32_t flags) {
    return (int)syscall(SYS_close_range, first, last, flags);
}

ssize_t clinux_getdents64(int fd, void *buffer, size_t size) { return syscall(SYS_getdents64, fd, buffer, size); }
int clinux_fcntl(int fd, int command, long argument) { return fcntl(fd, command, argument); }
int clinux_ioctl(int fd, unsigned long request, void *argument) { return ioctl(fd, request, argument); }
