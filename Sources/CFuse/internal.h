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

enum opcode {
    OP_SETXATTR = 21,
    OP_INIT = 26,
    OP_TMPFILE = 51,
    OP_STATX = 52,
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
