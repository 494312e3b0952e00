// A version-stable surface over libfuse3 (3.14 and newer): its low-level API under own names, plus the parts of the
// kernel protocol that libfuse 3.14 does not know (TMPFILE, STATX, passthrough, extended SETXATTR, KILLPRIV_V2).
//
// libfuse mounts, decodes requests and carries replies. This layer reads the requests itself, looks at each
// before libfuse sees it, and writes the INIT reply itself. The libfuse headers stay in the .c files, because
// they change shape with _FILE_OFFSET_BITS and FUSE_USE_VERSION, which breaks an import into Swift.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// MARK: Reply structures, in the kernel's layout (linux/fuse.h)

struct cfuse_attr {
    uint64_t ino, size, blocks;
    uint64_t atime, mtime, ctime;
    uint32_t atimensec, mtimensec, ctimensec;
    uint32_t mode, nlink, uid, gid, rdev, blksize, flags;
};

struct cfuse_entry_out {
    uint64_t nodeid, generation, entry_valid, attr_valid;
    uint32_t entry_valid_nsec, attr_valid_nsec;
    struct cfuse_attr attr;
};

struct cfuse_attr_out {
    uint64_t attr_valid;
    uint32_t attr_valid_nsec, dummy;
    struct cfuse_attr attr;
};

struct cfuse_open_out {
    uint64_t fh;
    uint32_t open_flags;
    int32_t backing_id;
};

struct cfuse_create_out {
    struct cfuse_entry_out entry;
    struct cfuse_open_out open;
};

struct cfuse_statfs_out {
    uint64_t blocks, bfree, bavail, files, ffree;
    uint32_t bsize, namelen, frsize, padding, spare[6];
};

struct cfuse_statx_out {
    uint64_t attr_valid;
    uint32_t attr_valid_nsec, flags;
    uint64_t spare[2];
    uint32_t mask, blksize;
    uint64_t attributes;
    uint32_t nlink, uid, gid;
    uint16_t mode, spare0;
    uint64_t ino, size, blocks, attributes_mask;
    struct cfuse_statx_time {
        int64_t seconds;
        uint32_t nanoseconds;
        int32_t reserved;
    } atime, btime, ctime, mtime;
    uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
    uint64_t spare2[14];
};

struct cfuse_dirent {
    uint64_t ino, off;
    uint32_t namelen, type;
    // the name follows, padded with zeros to a multiple of 8
};

// MARK: Request structures, in the kernel's layout

struct cfuse_setattr_in {
    uint32_t valid, padding;
    uint64_t fh, size, lock_owner, atime, mtime, ctime;
    uint32_t atimensec, mtimensec, ctimensec;
    uint32_t mode, unused4, uid, gid, unused5;
};

struct cfuse_forget_one {
    uint64_t nodeid, nlookup;
};

// MARK: Requests

/// One request, valid until its reply. `handle` is libfuse's, or NULL for a request that this layer decoded.
struct cfuse_request {
    void *handle;
    uint64_t unique;
    uint32_t uid, gid;
    int32_t pid;
    uint32_t umask;
};

/// What a file system does. Each function but `forget` and `forget_multi` must see to exactly
/// one cfuse_reply_* call for its request before it returns, on the thread it was called on.
/// `kill` says that set-id bits and file capabilities have to go.
struct cfuse_operations {
    void (*lookup)(void *context, const struct cfuse_request *request, uint64_t parent, const char *name);
    void (*forget)(void *context, uint64_t node, uint64_t count);
    void (*forget_multi)(void *context, const struct cfuse_forget_one *forgets, size_t count);
    void (*getattr)(void *context, const struct cfuse_request *request, uint64_t node, int has_fh, uint64_t fh);
    void (*setattr)(void *context, const struct cfuse_request *request, uint64_t node,
                    const struct cfuse_setattr_in *changes);
    void (*readlink)(void *context, const struct cfuse_request *request, uint64_t node);
    void (*mknod)(void *context, const struct cfuse_request *request, uint64_t parent, const char *name, uint32_t mode,
                  uint32_t rdev);
    void (*mkdir)(void *context, const struct cfuse_request *request, uint64_t parent, const char *name, uint32_t mode);
    void (*unlink)(void *context, const struct cfuse_request *request, uint64_t parent, const char *name);
    void (*rmdir)(void *context, const struct cfuse_request *request, uint64_t parent, const char *name);
    void (*symlink)(void *context, const struct cfuse_request *request, const char *target, uint64_t parent,
                    const char *name);
    void (*rename)(void *context, const struct cfuse_request *request, uint64_t parent, const char *name,
                   uint64_t new_parent, const char *new_name, uint32_t flags);
    void (*link)(void *context, const struct cfuse_request *request, uint64_t node, uint64_t parent, const char *name);
    void (*open)(void *context, const struct cfuse_request *request, uint64_t node, int32_t flags, uint32_t open_flags);
    void (*create)(void *context, const struct cfuse_request *request, uint64_t parent, const char *name, uint32_t mode,
                   int32_t flags, uint32_t open_flags);
    void (*tmpfile)(void *context, const struct cfuse_request *request, uint64_t parent, uint32_t mode, int32_t flags,
                    uint32_t open_flags);
    void (*read)(void *context, const struct cfuse_request *request, uint64_t node, uint64_t fh, int64_t offset,
                 size_t size, int32_t flags);
    void (*write)(void *context, const struct cfuse_request *request, uint64_t node, uint64_t fh, int64_t offset,
                  const void *data, size_t size, int32_t flags, uint32_t write_flags);
    void (*flush)(void *context, const struct cfuse_request *request, uint64_t node, uint64_t fh, uint64_t lock_owner);
    void (*release)(void *context, const struct cfuse_request *request, uint64_t node, uint64_t fh, int32_t flags);
    void (*fsync)(void *context, const struct cfuse_request *request, uint64_t node, uint64_t fh, int data_only);
    void (*opendir)(void *context, const struct cfuse_request *request, uint64_t node, int32_t flags);
    void (*readdir)(void *context, const struct cfuse_request *request, uint64_t node, uint64_t fh, int64_t offset,
                    size_t size);
    void (*readdirplus)(void *context, const struct cfuse_request *request, uint64_t node, uint64_t fh, int64_t offset,
                        size_t size);
    void (*releasedir)(void *context, const struct cfuse_request *request, uint64_t node, uint64_t fh, int32_t flags);
    void (*fsyncdir)(void *context, const struct cfuse_request *request, uint64_t node, uint64_t fh, int data_only);
    void (*statfs)(void *context, const struct cfuse_request *request, uint64_t node);
    void (*setxattr)(void *context, const struct cfuse_request *request, uint64_t node, const char *name,
                     const void *value, size_t size, int32_t flags, int kill_set_gid);
    void (*getxattr)(void *context, const struct cfuse_request *request, uint64_t node, const char *name, size_t size);
    void (*listxattr)(void *context, const struct cfuse_request *request, uint64_t node, size_t size);
    void (*removexattr)(void *context, const struct cfuse_request *request, uint64_t node, const char *name);
    void (*access)(void *context, const struct cfuse_request *request, uint64_t node, int32_t mask);
    void (*fallocate)(void *context, const struct cfuse_request *request, uint64_t node, uint64_t fh, int32_t mode,
                      int64_t offset, int64_t length);
    void (*lseek)(void *context, const struct cfuse_request *request, uint64_t node, uint64_t fh, int64_t offset,
                  int32_t whence);
    void (*copy_file_range)(void *context, const struct cfuse_request *request, uint64_t from, uint64_t from_fh,
                            int64_t from_offset, uint64_t to, uint64_t to_fh, int64_t to_offset, size_t length,
                            uint32_t flags);
    /// The same of a request whose reply has 64 bits for the count.
    void (*copy_file_range_64)(void *context, const struct cfuse_request *request, uint64_t from, uint64_t from_fh,
                               int64_t from_offset, uint64_t to, uint64_t to_fh, int64_t to_offset, size_t length,
                               uint32_t flags);
    void (*ioctl)(void *context, const struct cfuse_request *request, uint64_t node, uint64_t fh, uint32_t command,
                  uint32_t flags, const void *input, size_t input_size, size_t output_size);
    void (*statx)(void *context, const struct cfuse_request *request, uint64_t node, int has_fh, uint64_t fh,
                  uint32_t flags, uint32_t mask);
};

// MARK: Replies. Each returns 0, or -1 with errno where the kernel took no notice (ENOENT: the caller has gone).

int cfuse_reply_error(const struct cfuse_request *request, int32_t error);
int cfuse_reply_bytes(const struct cfuse_request *request, const void *bytes, size_t size);
/// Two pieces, one after the other.
int cfuse_reply_pieces(const struct cfuse_request *request, const void *first, size_t first_size, const void *second,
                       size_t second_size);
/// Up to `size` bytes of the open file `fd` from `offset` on; fewer at its end. Replies the error of a failed read.
int cfuse_reply_file(const struct cfuse_request *request, int fd, int64_t offset, size_t size);

/// The calling worker's memory for building one reply, and its size; NULL outside of a request.
void *cfuse_scratch(size_t *size);

// MARK: Session

struct cfuse_session;

struct cfuse_parameters {
    uint64_t wanted;  // FUSE_* INIT flags; flags2 in the high half
    uint32_t max_write, max_readahead, max_background, congestion_threshold, max_stack_depth;
    int splice_replies;
    int root_only;  // nobody but this process's user and root may use the mount (`allow_root`)
    int traces;     // each request and each reply is a line on standard error
};

/// A session that is not mounted yet. `arguments` are `argc` strings as in main: a name, then "-o", "…". NULL if
/// libfuse refuses them. `operations` is copied, `context` is handed to each operation.
struct cfuse_session *cfuse_session_new(int argc, char *const *arguments, const struct cfuse_operations *operations,
                                        void *context, const struct cfuse_parameters *parameters);
/// Returns 0, or -1 where libfuse could not mount; cfuse_last_message says why.
int cfuse_session_mount(struct cfuse_session *session, const char *mount_point);
/// Serves an open channel that speaks the protocol instead of a mount. Returns 0, or -1 with errno.
int cfuse_session_attach(struct cfuse_session *session, int channel);
/// Whether the kernel has closed the session, because nobody can reach the mount any more. No path is looked at.
int cfuse_session_has_ended(const struct cfuse_session *session);
/// Takes the mount down if it is still there and closes the descriptor. Workers may still run.
void cfuse_session_unmount(struct cfuse_session *session);
/// Closes the last channel, once no worker runs any more: whoever still uses the mount gets ENOTCONN from here on.
void cfuse_session_close(struct cfuse_session *session);
/// Frees the session; no worker may run any more.
void cfuse_session_destroy(struct cfuse_session *session);

/// The descriptor that replies to requests and ioctls go to.
int cfuse_session_fd(const struct cfuse_session *session);
/// What the kernel offered and this side wants, as INIT flags; 0 before INIT.
uint64_t cfuse_session_agreed(const struct cfuse_session *session);

/// The last line that libfuse logged, without the newline; empty if there was none.
const char *cfuse_last_message(void);

// MARK: Workers

struct cfuse_worker;

/// Buffers for one thread that serves requests, with a channel of its own where the kernel gives one. NULL with errno.
struct cfuse_worker *cfuse_worker_new(struct cfuse_session *session);
void cfuse_worker_free(struct cfuse_worker *worker);
/// Waits for a request. Returns its size, 0 if there was none after all (ask again), or -1 with errno: ENODEV after
/// an unmount.
ssize_t cfuse_worker_receive(struct cfuse_worker *worker);
/// Serves the request that was received last. Returns once it was replied to.
void cfuse_worker_process(struct cfuse_worker *worker);

// MARK: Passthrough

/// Registers an open file as backing file. Returns its id, or -1 with errno.
int32_t cfuse_backing_open(const struct cfuse_session *session, int fd);
int cfuse_backing_close(const struct cfuse_session *session, int32_t id);

// MARK: Notifications. Each returns 0 or a negative errno; ENOENT if the kernel does not know the node.

int cfuse_notify_inode(struct cfuse_session *session, uint64_t node, int64_t offset, int64_t length);
int cfuse_notify_entry(struct cfuse_session *session, uint64_t parent, const char *name, size_t length);

/// Gives the kernel the bytes of a file from its start, as if it had read them through the node: at most `size`, which
/// must be the whole of the file. Only on a thread that serves a request.
int cfuse_store_file(struct cfuse_session *session, uint64_t node, int fd, size_t size);

// MARK: Waiting

/// Waits until `fd` can be read or one of the blocked signals SIGTERM, SIGINT, SIGHUP arrives. Returns the signal, 0
/// for the descriptor, or -1 with errno.
int cfuse_wait_for_end(int fd);
