// Requests that libfuse 3.14 does not decode, or not in full: TMPFILE, STATX, COPY_FILE_RANGE_64, SETXATTR with its
// extended header.
// Each length is checked against what was received, as the kernel is the only one who could have got it wrong.
#include "internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct create_in {
    uint32_t flags, mode, umask, open_flags;
};

struct setxattr_in {
    uint32_t size, flags;
    uint32_t setxattr_flags, padding;  // with FUSE_SETXATTR_EXT only
};

struct statx_in {
    uint32_t getattr_flags, reserved;
    uint64_t fh;
    uint32_t sx_flags, sx_mask;
};

struct copy_file_range_in {
    uint64_t from_fh, from_offset, to_node, to_fh, to_offset, length, flags;
};

enum { GETATTR_HANDLE = 1, SETXATTR_KILL_SET_GID = 1 };

static bool serve_tmpfile(struct cfuse_worker *worker, const struct in_header *header) {
    const struct create_in *in = cfuse_argument(sizeof *in);
    struct cfuse_request request = cfuse_make_request(NULL, header, in ? in->umask : 0);
    const struct cfuse_session *session = worker->session;
    if (!in || !session->operations.tmpfile) {
        cfuse_reply_error(&request, in ? ENOSYS : EIO);
    } else {
        session->operations.tmpfile(session->context, &request, header->nodeid, in->mode, (int32_t)in->flags,
                                    in->open_flags);
    }
    return true;
}

static bool serve_statx(struct cfuse_worker *worker, const struct in_header *header) {
    const struct statx_in *in = cfuse_argument(sizeof *in);
    struct cfuse_request request = cfuse_make_request(NULL, header, 0);
    const struct cfuse_session *session = worker->session;
    if (!in || !session->operations.statx) {
        cfuse_reply_error(&request, in ? ENOSYS : EIO);
    } else {
        session->operations.statx(session->context, &request, header->nodeid, in->getattr_flags & GETATTR_HANDLE,
                                  in->fh, in->sx_flags, in->sx_mask);
    }
    return true;
}

static bool serve_copy_file_range(struct cfuse_worker *worker, const struct in_header *header) {
    const struct copy_file_range_in *in = cfuse_argument(sizeof *in);
    struct cfuse_request request = cfuse_make_request(NULL, header, 0);
    const struct cfuse_session *session = worker->session;
    if (!in || !session->operations.copy_file_range_64) {
        cfuse_reply_error(&request, in ? ENOSYS : EIO);
    } else {
        session->operations.copy_file_range_64(session->context, &request, header->nodeid, in->from_fh,
                                               (int64_t)in->from_offset, in->to_node, in->to_fh,
                                               (int64_t)in->to_offset, in->length, (uint32_t)in->flags);
    }
    return true;
}

static bool serve_setxattr(struct cfuse_worker *worker, const struct in_header *header) {
    struct cfuse_session *session = worker->session;
    bool extended = atomic_load_explicit(&session->agreed, memory_order_relaxed) & INIT_SETXATTR_EXT;
    size_t size = extended ? sizeof(struct setxattr_in) : 2 * sizeof(uint32_t);
    const struct setxattr_in *in = cfuse_argument(size);
    struct cfuse_request request = cfuse_make_request(NULL, header, 0);
    if (in) {
        const char *name = (const char *)in + size;
        size_t room = worker->received - sizeof *header - size;
        size_t length = strnlen(name, room);
        if (length < room && in->size <= room - length - 1) {
            int kill = extended && (in->setxattr_flags & SETXATTR_KILL_SET_GID);
            session->operations.setxattr(session->context, &request, header->nodeid, name, name + length + 1, in->size,
                                         (int32_t)in->flags, kill);
            return true;
        }
    }
    cfuse_reply_error(&request, EIO);
    return true;
}

// libfuse's `allow_root`, for the requests that libfuse does not see.
static bool is_denied(const struct cfuse_worker *worker, const struct in_header *header) {
    return worker->session->parameters.root_only && header->uid != 0 && header->uid != geteuid();
}

bool cfuse_serve_extended(struct cfuse_worker *worker, const struct in_header *header) {
    bool is_extended = header->opcode == OP_TMPFILE || header->opcode == OP_STATX || header->opcode == OP_SETXATTR;
    if (is_extended && is_denied(worker, header)) {
        struct cfuse_request request = cfuse_make_request(NULL, header, 0);
        cfuse_reply_error(&request, EACCES);
        return true;
    }
    switch (header->opcode) {
    case OP_TMPFILE: return serve_tmpfile(worker, header);
    case OP_STATX: return serve_statx(worker, header);
    case OP_COPY_FILE_RANGE_64: return serve_copy_file_range(worker, header);
    case OP_SETXATTR: return serve_setxattr(worker, header);
    default: return false;
    }
}
