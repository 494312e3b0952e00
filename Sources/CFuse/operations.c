// What libfuse calls once it has decoded a request: each function puts the request into own types, adding what
// libfuse 3.14 leaves out of it (the kernel's own open and write flags, the bits of a SETATTR that are new).
#include "internal.h"

#include <errno.h>
#include <string.h>

static struct cfuse_session *session_of(fuse_req_t req) { return fuse_req_userdata(req); }

static struct cfuse_request make(fuse_req_t req) {
    const struct fuse_ctx *caller = fuse_req_ctx(req);
    const struct in_header *header = cfuse_argument(0) ? (const void *)cfuse_current->request : NULL;
    struct in_header empty = {.uid = caller->uid, .gid = caller->gid, .pid = (uint32_t)caller->pid};
    return cfuse_make_request(req, header ? header : &empty, caller->umask);
}

// Calls the operation of that name, which is always there: Swift fills the whole table.
#define CALL(name, ...)                                                                     \
    do {                                                                                    \
        struct cfuse_session *session = session_of(req);                                    \
        struct cfuse_request request = make(req);                                           \
        session->operations.name(session->context, &request __VA_OPT__(, ) __VA_ARGS__);    \
    } while (0)

static void do_init(void *userdata, struct fuse_conn_info *connection) {
    const struct cfuse_session *session = userdata;
    // The reply to the kernel is written in worker.c; here libfuse learns what concerns itself.
    connection->max_write = session->parameters.max_write;
    connection->want &= ~(unsigned)FUSE_CAP_SPLICE_READ;
    if (session->parameters.splice_replies && connection->capable & FUSE_CAP_SPLICE_WRITE) {
        connection->want |= FUSE_CAP_SPLICE_WRITE;
    }
}

// MARK: Nodes

static void do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name) { CALL(lookup, parent, name); }

static void do_forget(fuse_req_t req, fuse_ino_t node, uint64_t count) {
    struct cfuse_session *session = session_of(req);
    session->operations.forget(session->context, node, count);
    fuse_reply_none(req);
}

static void do_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets) {
    struct cfuse_session *session = session_of(req);
    _Static_assert(sizeof(struct fuse_forget_data) == sizeof(struct cfuse_forget_one), "same layout");
    session->operations.forget_multi(session->context, (const struct cfuse_forget_one *)forgets, count);
    fuse_reply_none(req);
}

static void do_getattr(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file) {
    CALL(getattr, node, file != NULL, file ? file->fh : 0);
}

static void do_setattr(fuse_req_t req, fuse_ino_t node, struct stat *attributes, int valid,
                       struct fuse_file_info *file) {
    (void)attributes, (void)valid;
    // libfuse drops the bits that it does not know, so the structure is taken from the request itself.
    const struct cfuse_setattr_in *request = cfuse_argument(sizeof *request);
    if (request) {
        struct cfuse_setattr_in changes = *request;
        // FATTR_FH, which libfuse has taken out of the request.
        if (file) changes.valid |= 1u << 6;
        CALL(setattr, node, &changes);
    } else {
        fuse_reply_err(req, EIO);
    }
}

static void do_readlink(fuse_req_t req, fuse_ino_t node) { CALL(readlink, node); }
static void do_access(fuse_req_t req, fuse_ino_t node, int mask) { CALL(access, node, mask); }
static void do_statfs(fuse_req_t req, fuse_ino_t node) { CALL(statfs, node); }

// MARK: Names

static void do_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device) {
    CALL(mknod, parent, name, mode, (uint32_t)device);
}

static void do_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode) {
    CALL(mkdir, parent, name, mode);
}

static void do_unlink(fuse_req_t req, fuse_ino_t parent, const char *name) { CALL(unlink, parent, name); }
static void do_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name) { CALL(rmdir, parent, name); }

static void do_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name) {
    CALL(symlink, target, parent, name);
}

static void do_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent, const char *new_name,
                      unsigned int flags) {
    CALL(rename, parent, name, new_parent, new_name, flags);
}

static void do_link(fuse_req_t req, fuse_ino_t node, fuse_ino_t parent, const char *name) {
    CALL(link, node, parent, name);
}

// MARK: Files

// struct fuse_open_in {flags, open_flags} and struct fuse_create_in {flags, mode, umask, open_flags}.
static uint32_t word(size_t index) {
    const uint32_t *words = cfuse_argument((index + 1) * sizeof *words);
    return words ? words[index] : 0;
}

static void do_open(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file) {
    CALL(open, node, file->flags, word(1));
}

static void do_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *file) {
    CALL(create, parent, name, mode, file->flags, word(3));
}

static void do_read(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *file) {
    if (size > LARGEST_WRITE) size = LARGEST_WRITE;
    CALL(read, node, file->fh, offset, size, file->flags);
}

static void do_write(fuse_req_t req, fuse_ino_t node, const char *data, size_t size, off_t offset,
                     struct fuse_file_info *file) {
    // struct fuse_write_in {fh, offset: 64 bits; size, write_flags: 32 bits; …}
    CALL(write, node, file->fh, offset, data, size, file->flags, word(5));
}

static void do_flush(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file) {
    CALL(flush, node, file->fh, file->lock_owner);
}

static void do_release(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file) {
    CALL(release, node, file->fh, file->flags);
}

static void do_fsync(fuse_req_t req, fuse_ino_t node, int data_only, struct fuse_file_info *file) {
    CALL(fsync, node, file->fh, data_only);
}

static void do_fallocate(fuse_req_t req, fuse_ino_t node, int mode, off_t offset, off_t length,
                         struct fuse_file_info *file) {
    CALL(fallocate, node, file->fh, mode, offset, length);
}

static void do_lseek(fuse_req_t req, fuse_ino_t node, off_t offset, int whence, struct fuse_file_info *file) {
    CALL(lseek, node, file->fh, offset, whence);
}

static void do_copy_file_range(fuse_req_t req, fuse_ino_t from, off_t from_offset, struct fuse_file_info *from_file,
                               fuse_ino_t to, off_t to_offset, struct fuse_file_info *to_file, size_t length,
                               int flags) {
    CALL(copy_file_range, from, from_file->fh, from_offset, to, to_file->fh, to_offset, length, (uint32_t)flags);
}

static void do_ioctl(fuse_req_t req, fuse_ino_t node, unsigned int command, void *argument, struct fuse_file_info *file,
                     unsigned flags, const void *input, size_t input_size, size_t output_size) {
    (void)argument;
    CALL(ioctl, node, file->fh, command, flags, input, input_size, output_size);
}

// MARK: Directories

static void do_opendir(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file) {
    CALL(opendir, node, file->flags);
}

static void do_readdir(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *file) {
    CALL(readdir, node, file->fh, offset, size);
}

static void do_readdirplus(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *file) {
    CALL(readdirplus, node, file->fh, offset, size);
}

static void do_releasedir(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file) {
    CALL(releasedir, node, file->fh, file->flags);
}

static void do_fsyncdir(fuse_req_t req, fuse_ino_t node, int data_only, struct fuse_file_info *file) {
    CALL(fsyncdir, node, file->fh, data_only);
}

// MARK: Extended attributes (SETXATTR is decoded in extended.c)

static void do_getxattr(fuse_req_t req, fuse_ino_t node, const char *name, size_t size) {
    CALL(getxattr, node, name, size);
}

static void do_listxattr(fuse_req_t req, fuse_ino_t node, size_t size) { CALL(listxattr, node, size); }
static void do_removexattr(fuse_req_t req, fuse_ino_t node, const char *name) { CALL(removexattr, node, name); }

const struct fuse_lowlevel_ops cfuse_lowlevel_operations = {
    .init = do_init,
    .lookup = do_lookup,
    .forget = do_forget,
    .forget_multi = do_forget_multi,
    .getattr = do_getattr,
    .setattr = do_setattr,
    .readlink = do_readlink,
    .mknod = do_mknod,
    .mkdir = do_mkdir,
    .unlink = do_unlink,
    .rmdir = do_rmdir,
    .symlink = do_symlink,
    .rename = do_rename,
    .link = do_link,
    .open = do_open,
    .create = do_create,
    .read = do_read,
    .write = do_write,
    .flush = do_flush,
    .release = do_release,
    .fsync = do_fsync,
    .opendir = do_opendir,
    .readdir = do_readdir,
    .readdirplus = do_readdirplus,
    .releasedir = do_releasedir,
    .fsyncdir = do_fsyncdir,
    .statfs = do_statfs,
    .getxattr = do_getxattr,
    .listxattr = do_listxattr,
    .removexattr = do_removexattr,
    .access = do_access,
    .fallocate = do_fallocate,
    .lseek = do_lseek,
    .copy_file_range = do_copy_file_range,
    .ioctl = do_ioctl,
};
