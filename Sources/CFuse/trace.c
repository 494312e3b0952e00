// What goes over the channel, a line for each request and each reply, for somebody who looks for a fault.
#include "internal.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {
    [OP_LOOKUP] = "LOOKUP",
    [OP_FORGET] = "FORGET",
    [OP_GETATTR] = "GETATTR",
    [OP_SETATTR] = "SETATTR",
    [OP_READLINK] = "READLINK",
    [OP_SYMLINK] = "SYMLINK",
    [OP_MKNOD] = "MKNOD",
    [OP_MKDIR] = "MKDIR",
    [OP_UNLINK] = "UNLINK",
    [OP_RMDIR] = "RMDIR",
    [OP_RENAME] = "RENAME",
    [OP_LINK] = "LINK",
    [OP_OPEN] = "OPEN",
    [OP_READ] = "READ",
    [OP_WRITE] = "WRITE",
    [OP_STATFS] = "STATFS",
    [OP_RELEASE] = "RELEASE",
    [OP_FSYNC] = "FSYNC",
    [OP_SETXATTR] = "SETXATTR",
    [OP_GETXATTR] = "GETXATTR",
    [OP_LISTXATTR] = "LISTXATTR",
    [OP_REMOVEXATTR] = "REMOVEXATTR",
    [OP_FLUSH] = "FLUSH",
    [OP_INIT] = "INIT",
    [OP_OPENDIR] = "OPENDIR",
    [OP_READDIR] = "READDIR",
    [OP_RELEASEDIR] = "RELEASEDIR",
    [OP_FSYNCDIR] = "FSYNCDIR",
    [OP_GETLK] = "GETLK",
    [OP_SETLK] = "SETLK",
    [OP_SETLKW] = "SETLKW",
    [OP_ACCESS] = "ACCESS",
    [OP_CREATE] = "CREATE",
    [OP_INTERRUPT] = "INTERRUPT",
    [OP_BMAP] = "BMAP",
    [OP_IOCTL] = "IOCTL",
    [OP_POLL] = "POLL",
    [OP_NOTIFY_REPLY] = "NOTIFY_REPLY",
    [OP_BATCH_FORGET] = "BATCH_FORGET",
    [OP_FALLOCATE] = "FALLOCATE",
    [OP_READDIRPLUS] = "READDIRPLUS",
    [OP_RENAME2] = "RENAME2",
    [OP_LSEEK] = "LSEEK",
    [OP_COPY_FILE_RANGE] = "COPY_FILE_RANGE",
    [OP_TMPFILE] = "TMPFILE",
    [OP_STATX] = "STATX",
    [OP_COPY_FILE_RANGE_64] = "COPY_FILE_RANGE_64",
};

// Bytes between the header of a request and the first of its names (linux/fuse.h); -1 where it has none.
static int names_offset(uint32_t opcode) {
    switch (opcode) {
        case OP_LOOKUP:
        case OP_UNLINK:
        case OP_RMDIR:
        case OP_SYMLINK:
        case OP_REMOVEXATTR: return 0;
        case OP_MKDIR:
        case OP_RENAME:
        case OP_LINK:
        case OP_GETXATTR: return 8;
        case OP_MKNOD:
        case OP_CREATE:
        case OP_RENAME2: return 16;
        default: return -1;
    }
}

// Appends a name in quotation marks; what is no printable ASCII appears as \xff. Returns the new length of the line.
static size_t append_name(char *line, size_t length, size_t room, const unsigned char *name, size_t size) {
    length += (size_t)snprintf(line + length, room - length, " \"");
    for (size_t i = 0; i < size && length + 8 < room; i++) {
        int plain = name[i] >= 0x20 && name[i] < 0x7f && name[i] != '"' && name[i] != '\\';
        length += (size_t)snprintf(line + length, room - length, plain ? "%c" : "\\x%02x", name[i]);
    }
    if (length + 2 < room) length += (size_t)snprintf(line + length, room - length, "\"");
    return length;
}

void cfuse_trace_request(const struct cfuse_worker *worker, const struct in_header *header) {
    char line[1024];
    const char *name = header->opcode < sizeof names / sizeof names[0] ? names[header->opcode] : NULL;
    size_t length = (size_t)snprintf(line, sizeof line, "-> %llu %s(%u) node %llu, pid %u, uid %u, %zu bytes",
                                     (unsigned long long)header->unique, name ? name : "?", header->opcode,
                                     (unsigned long long)header->nodeid, header->pid, header->uid, worker->received);
    int offset = names_offset(header->opcode);
    if (offset >= 0 && worker->received > sizeof *header + (size_t)offset) {
        const unsigned char *next = worker->request + sizeof *header + offset;
        const unsigned char *end = worker->request + worker->received;
        bool two = header->opcode == OP_RENAME || header->opcode == OP_RENAME2 || header->opcode == OP_SYMLINK;
        for (int i = 0; i < (two ? 2 : 1) && next < end; i++) {
            size_t size = strnlen((const char *)next, (size_t)(end - next));
            length = append_name(line, length, sizeof line, next, size);
            next += size + 1;
        }
    }
    // One write for each line, so that those of several threads do not mix.
    fprintf(stderr, "%s\n", line);
}

void cfuse_trace_reply(uint64_t unique, int32_t error, size_t size) {
    if (unique == 0) {
        fprintf(stderr, "<- notification, %zu bytes\n", size);
    } else if (error == 0) {
        fprintf(stderr, "<- %llu OK, %zu bytes\n", (unsigned long long)unique, size);
    } else {
        const char *name = strerrorname_np(-error);
        fprintf(stderr, "<- %llu %s\n", (unsigned long long)unique, name ? name : "error");
    }
}
