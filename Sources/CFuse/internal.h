// What the files of CFuse share. Included after the libfuse headers are configured, and by no Swift module.
#pragma once

#define FUSE_USE_VERSION 314
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif

#include <fuse_lowlevel.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "cfuse.h"

// The kernel's request header (struct fuse_in_header).
struct in_header {
    uint32_t len, opcode;
    uint64_t unique, nodeid;
    uint32_t uid, gid, pid;
    uint16_t total_extlen, padding;
};

struct out_header {
    uint32_t len;
    int32_t error;
    uint64_t unique;
};

// enum fuse_opcode of linux/fuse.h
enum opcode {
    OP_LOOKUP = 1,
    OP_FORGET = 2,
    OP_GETATTR = 3,
    OP_SETATTR = 4,
    OP_READLINK = 5,
    OP_SYMLINK = 6,
    OP_MKNOD = 8,
    OP_MKDIR = 9,
    OP_UNLINK = 10,
    OP_RMDIR = 11,
    OP_RENAME = 12,
    OP_LINK = 13,
    OP_OPEN = 14,
    OP_READ = 15,
    OP_WRITE = 16,
    OP_STATFS = 17,
    OP_RELEASE = 18,
    OP_FSYNC = 20,
    OP_SETXATTR = 21,
    OP_GETXATTR = 22,
    OP_LISTXATTR = 23,
    OP_REMOVEXATTR = 24,
    OP_FLUSH = 25,
    OP_INIT = 26,
    OP_OPENDIR = 27,
    OP_READDIR = 28,
    OP_RELEASEDIR = 29,
    OP_FSYNCDIR = 30,
    OP_GETLK = 31,
    OP_SETLK = 32,
    OP_SETLKW = 33,
    OP_ACCESS = 34,
    OP_CREATE = 35,
    OP_INTERRUPT = 36,
    OP_BMAP = 37,
    OP_IOCTL = 39,
    OP_POLL = 40,
    OP_NOTIFY_REPLY = 41,
    OP_BATCH_FORGET = 42,
    OP_FALLOCATE = 43,
    OP_READDIRPLUS = 44,
    OP_RENAME2 = 45,
    OP_LSEEK = 46,
    OP_COPY_FILE_RANGE = 47,
    OP_TMPFILE = 51,
    OP_STATX = 52,
    OP_COPY_FILE_RANGE_64 = 53,
};

enum init_flag {
    INIT_SETXATTR_EXT = 1u << 29,
    INIT_EXT = 1u << 30,
};

enum { HEADER_ROOM = 4096, LARGEST_WRITE = 1 << 20 };

struct cfuse_session {
    struct fuse_session *fuse;
    struct cfuse_operations operations;
    void *context;
    struct cfuse_parameters parameters;
    // A descriptor of our own for replies, notifications and ioctls: libfuse closes its one when it unmounts, while
    // workers may still be replying.
    int fd;
    uint64_t init_unique;
    uint32_t kernel_readahead;
    _Atomic uint64_t offered;
    _Atomic uint64_t agreed;
};

struct cfuse_worker {
    struct cfuse_session *session;
    int fd;
    size_t received;  // bytes of the request in `request`
    unsigned char *request;
    size_t request_room;
    unsigned char *scratch;
    size_t scratch_room;
};

// The worker that the calling thread is, while it processes a request.
extern _Thread_local struct cfuse_worker *cfuse_current;

// The table of functions that libfuse calls.
extern const struct fuse_lowlevel_ops cfuse_lowlevel_operations;

// The hooks through which libfuse reads and writes.
extern const struct fuse_custom_io cfuse_io;

// Serves a request that libfuse cannot decode. False if it is not one of those.
bool cfuse_serve_extended(struct cfuse_worker *worker, const struct in_header *header);

// Answers a request that is cut short or makes no sense with an error. False if it is as it should be.
bool cfuse_refuse_malformed(struct cfuse_worker *worker, const struct in_header *header);

// Prints a request, and a reply to one: `error` is 0 or a negative errno, `size` its bytes with the header.
void cfuse_trace_request(const struct cfuse_worker *worker, const struct in_header *header);
void cfuse_trace_reply(uint64_t unique, int32_t error, size_t size);

// Notes what the kernel offers in its INIT request.
void cfuse_note_init(struct cfuse_worker *worker, const struct in_header *header);

// The structure that follows the header of the current request, or NULL if the request is shorter than that.
static inline const void *cfuse_argument(size_t size) {
    const struct cfuse_worker *worker = cfuse_current;
    if (!worker || worker->received < sizeof(struct in_header) + size) return NULL;
    return worker->request + sizeof(struct in_header);
}

static inline struct cfuse_request cfuse_make_request(fuse_req_t req, const struct in_header *header, uint32_t umask) {
    return (struct cfuse_request){
        .handle = req,
        .unique = header->unique,
        .uid = header->uid,
        .gid = header->gid,
        .pid = (int32_t)header->pid,
        .umask = umask,
    };
}
