// Own-named wrappers for the system calls and constants that Swift's Glibc module lacks.
//
// The GNU headers stay in clinux.c: several of them change shape with _FILE_OFFSET_BITS or _GNU_SOURCE,
// which breaks the import. Each function returns what the system call returns; on failure -1 with errno set.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// MARK: Constants

extern const int32_t clinux_O_PATH;
extern const int32_t clinux_O_TMPFILE;
extern const int32_t clinux_O_DIRECT;
extern const int32_t clinux_O_NOATIME;
extern const int32_t clinux_O_LARGEFILE;
extern const int32_t clinux_AT_EMPTY_PATH;
extern const uint64_t clinux_RESOLVE_BENEATH;
extern const uint64_t clinux_RESOLVE_NO_SYMLINKS;
extern const uint64_t clinux_RESOLVE_NO_MAGICLINKS;
extern const uint64_t clinux_RESOLVE_NO_XDEV;
extern const uint64_t clinux_RESOLVE_IN_ROOT;

// MARK: Status

/// The fields of struct statx that Strata uses, in host order; times in seconds and nanoseconds.
struct clinux_stat {
    uint64_t ino;
    uint64_t size;
    uint64_t blocks;    // 512-byte units
    uint64_t dev;       // as makedev() packs it
    uint64_t rdev;
    uint64_t mount_id;  // 0 where the kernel does not tell
    uint64_t attributes;
    int64_t atime_sec, mtime_sec, ctime_sec, btime_sec;
    uint32_t atime_nsec, mtime_nsec, ctime_nsec, btime_nsec;
    uint32_t mode;
    uint32_t nlink;
    uint32_t uid;
    uint32_t gid;
    uint32_t blksize;
    uint32_t mask;      // STATX_* bits that the kernel filled
};

int clinux_stat(int directory, const char *path, int flags, struct clinux_stat *result);

struct clinux_statfs {
    uint64_t type, block_size, blocks, blocks_free, blocks_available, files, files_free, name_length, fragment_size;
    uint64_t flags;
};

int clinux_statfs(const char *path, struct clinux_statfs *result);
int clinux_fstatfs(int fd, struct clinux_statfs *result);

uint64_t clinux_makedev(uint32_t major, uint32_t minor);
uint32_t clinux_major(uint64_t device);
uint32_t clinux_minor(uint64_t device);

// MARK: Names

/// readlinkat and pipe2.
ssize_t clinux_readlinkat(int directory, const char *path, void *buffer, size_t size);
int clinux_pipe2(int32_t *ends, int flags);

int clinux_openat(int directory, const char *path, int flags, uint32_t mode);
int clinux_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
int clinux_mknodat(int directory, const char *path, uint32_t mode, uint64_t device);
int clinux_renameat2(int from, const char *old_path, int to, const char *new_path, uint32_t flags);
int clinux_utimensat(int directory, const char *path, int64_t atime_sec, int64_t atime_nsec, int64_t mtime_sec,
                     int64_t mtime_nsec, int flags);

/// File handles; `handle` holds at most 128 bytes and *size says how many are used.
int clinux_name_to_handle_at(int directory, const char *path, int flags, uint8_t *handle, uint32_t *size, int32_t *type,
                             int32_t *mount_id);
int clinux_open_by_handle_at(int mount_fd, const uint8_t *handle, uint32_t size, int32_t type, int flags);

// MARK: Data

ssize_t clinux_copy_file_range(int from, int64_t *from_offset, int to, int64_t *to_offset, size_t length, uint32_t flags);
int clinux_ficlone(int to, int from);
/* ioctl(FIDEDUPERANGE) for one range: bytes that share now, 0 where the two ranges differ, -1 with errno. */
int64_t clinux_dedupe_range(int from, int64_t offset, int64_t length, int to, int64_t to_offset);
/* ioctl(FS_IOC_FIEMAP): the first extent that ends after offset; 0 where there is none, 1, or -1 with errno. */
int clinux_extent(int fd, int64_t offset, uint64_t *logical, uint64_t *physical, uint64_t *length);
int clinux_fallocate(int fd, int mode, int64_t offset, int64_t length);
int clinux_syncfs(int fd);

// MARK: Extended attributes

ssize_t clinux_fgetxattr(int fd, const char *name, void *value, size_t size);
ssize_t clinux_lgetxattr(const char *path, const char *name, void *value, size_t size);
int clinux_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags);
int clinux_lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags);
ssize_t clinux_flistxattr(int fd, char *list, size_t size);
ssize_t clinux_llistxattr(const char *path, char *list, size_t size);
int clinux_fremovexattr(int fd, const char *name);

// Following symbolic links, for paths below /proc/self/fd.
ssize_t clinux_getxattr(const char *path, const char *name, void *value, size_t size);
int clinux_setxattr(const char *path, const char *name, const void *value, size_t size, int flags);
ssize_t clinux_listxattr(const char *path, char *list, size_t size);
int clinux_removexattr(const char *path, const char *name);

int clinux_lremovexattr(const char *path, const char *name);

/// The C library's sentence for an error number, in static memory.
const char *clinux_error_text(int number);

/// The same by path relative to a directory, a symbolic link at the end not followed: getxattrat(2) and its family where
/// the kernel has them (6.13), else through /proc/self/fd. The path must be shorter than PATH_MAX.
ssize_t clinux_getxattrat(int directory, const char *path, const char *name, void *value, size_t size);
int clinux_setxattrat(int directory, const char *path, const char *name, const void *value, size_t size, int flags);
ssize_t clinux_listxattrat(int directory, const char *path, char *list, size_t size);
int clinux_removexattrat(int directory, const char *path, const char *name);

/// The UUID of the file system that an open file is on, 16 bytes (ioctl FS_IOC_GETFSUUID, kernel 6.9).
int clinux_filesystem_uuid(int fd, uint8_t uuid[16]);

// MARK: Mounts, namespaces, processes

int clinux_mount(const char *source, const char *target, const char *type, uint64_t flags, const char *data);
int clinux_umount2(const char *target, int flags);
int clinux_unshare(int flags);
int clinux_setns(int fd, int type);
int clinux_open_tree(int directory, const char *path, uint32_t flags);
int clinux_mount_setattr(int directory, const char *path, uint32_t flags, uint64_t set, uint64_t clear,
                         uint64_t propagation);
/// move_mount(2): puts the mount `from` is the root of on the directory `to`; both are descriptors, O_PATH or not.
int clinux_move_mount(int from, int to);
/// The number of the mount that a path is on, 0 where the kernel does not tell, and the device of its file system.
int clinux_mount_identity(int directory, const char *path, int flags, uint64_t *id, uint64_t *device);
int clinux_setfsuid(uint32_t uid);
int clinux_setfsgid(uint32_t gid);
int clinux_pidfd_open(int32_t pid, uint32_t flags);
int clinux_pidfd_send_signal(int pidfd, int signal);
/// Locks one byte of a file that is open for writing, for this open file alone; EAGAIN where another has the lock.
int clinux_lock_byte(int fd, uint64_t offset);
int clinux_close_range(uint32_t first, uint32_t last, uint32_t flags);

/// Starts a program: file descriptors `map[0..<count]` become 0..<count in the child, all others are closed;
/// `directory` and `environment` may be NULL (inherited). With `new_session` the child leads a session of its own. `mask` is
/// its umask, inherited where it is negative.
/// Returns the child's pid, or -1 with errno of the step that failed, the exec included.
int32_t clinux_spawn(const char *path, char *const arguments[], char *const environment[], const char *directory,
                     const int32_t *map, int32_t count, int new_session, int32_t mask);

// MARK: Directory entries

/// Reads raw `struct linux_dirent64` records.
ssize_t clinux_getdents64(int fd, void *buffer, size_t size);

/// fcntl with an integer argument, ioctl with a pointer argument: variadic in C, so not imported.
int clinux_fcntl(int fd, int command, long argument);
int clinux_ioctl(int fd, unsigned long request, void *argument);
