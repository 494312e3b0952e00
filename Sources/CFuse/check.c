// Whether a request holds what its kind has to hold. libfuse takes each on trust: it would read names and structures beyond
// the end of one that is cut short, and the file system would walk wherever a name with a slash leads.
#include "internal.h"

#include <errno.h>
#include <string.h>

enum { CHECKED = 1, NAMES_ARE_ENTRIES = 2, FIRST_NAME_ONLY = 4, NO_REPLY = 8, MAY_BE_DOT = 16 };

struct shape {
    uint8_t fixed;  // bytes of the structure that follows the header
    uint8_t names;  // strings after it, each with its zero
    uint8_t flags;
};

static const struct shape shapes[] = {
    [OP_LOOKUP] = {0, 1, CHECKED | NAMES_ARE_ENTRIES | MAY_BE_DOT},
    [OP_FORGET] = {8, 0, CHECKED | NO_REPLY},
    [OP_GETATTR] = {16, 0, CHECKED},
    [OP_SETATTR] = {88, 0, CHECKED},
    [OP_READLINK] = {0, 0, CHECKED},
    [OP_SYMLINK] = {0, 2, CHECKED | NAMES_ARE_ENTRIES | FIRST_NAME_ONLY},
    [OP_MKNOD] = {16, 1, CHECKED | NAMES_ARE_ENTRIES},
    [OP_MKDIR] = {8, 1, CHECKED | NAMES_ARE_ENTRIES},
    [OP_UNLINK] = {0, 1, CHECKED | NAMES_ARE_ENTRIES},
    [OP_RMDIR] = {0, 1, CHECKED | NAMES_ARE_ENTRIES},
    [OP_RENAME] = {8, 2, CHECKED | NAMES_ARE_ENTRIES},
    [OP_LINK] = {8, 1, CHECKED | NAMES_ARE_ENTRIES},
    [OP_OPEN] = {8, 0, CHECKED},
    [OP_READ] = {40, 0, CHECKED},
    [OP_WRITE] = {40, 0, CHECKED},
    [OP_STATFS] = {0, 0, CHECKED},
    [OP_RELEASE] = {24, 0, CHECKED},
    [OP_FSYNC] = {16, 0, CHECKED},
    [OP_GETXATTR] = {8, 1, CHECKED},
    [OP_LISTXATTR] = {8, 0, CHECKED},
    [OP_REMOVEXATTR] = {0, 1, CHECKED},
    [OP_FLUSH] = {24, 0, CHECKED},
    [OP_INIT] = {16, 0, CHECKED},
    [OP_OPENDIR] = {8, 0, CHECKED},
    [OP_READDIR] = {40, 0, CHECKED},
    [OP_RELEASEDIR] = {24, 0, CHECKED},
    [OP_FSYNCDIR] = {16, 0, CHECKED},
    [OP_GETLK] = {48, 0, CHECKED},
    [OP_SETLK] = {48, 0, CHECKED},
    [OP_SETLKW] = {48, 0, CHECKED},
    [OP_ACCESS] = {8, 0, CHECKED},
    [OP_CREATE] = {16, 1, CHECKED | NAMES_ARE_ENTRIES},
    [OP_BMAP] = {16, 0, CHECKED},
    [OP_IOCTL] = {32, 0, CHECKED},
    [OP_POLL] = {24, 0, CHECKED},
    [OP_BATCH_FORGET] = {8, 0, CHECKED | NO_REPLY},
    [OP_FALLOCATE] = {32, 0, CHECKED},
    [OP_READDIRPLUS] = {40, 0, CHECKED},
    [OP_RENAME2] = {16, 2, CHECKED | NAMES_ARE_ENTRIES},
    [OP_LSEEK] = {24, 0, CHECKED},
    [OP_COPY_FILE_RANGE] = {56, 0, CHECKED},
};

// Whether a name can be that of an entry of a directory. "/" is what the kernel calls an object that it has by its handle
// alone, when it asks whether that is still there.
static bool is_entry(const char *name, bool may_be_dot) {
    if (may_be_dot && strcmp(name, "/") == 0) return true;
    if (name[0] == 0 || strchr(name, '/')) return false;
    return may_be_dot || (strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
}

// 0 or an error number.
static int check_names(const struct shape *shape, const char *name, size_t room) {
    for (unsigned i = 0; i < shape->names; i++) {
        size_t length = strnlen(name, room);
        if (length == room) return EIO;
        bool counts = i == 0 || !(shape->flags & FIRST_NAME_ONLY);
        if (shape->flags & NAMES_ARE_ENTRIES && counts && !is_entry(name, shape->flags & MAY_BE_DOT)) return EINVAL;
        name += length + 1;
        room -= length + 1;
    }
    return 0;
}

// What the structure says of the bytes that follow it.
static bool counts_fit(uint32_t opcode, const unsigned char *argument, size_t room) {
    uint32_t count = 0;
    switch (opcode) {
    case OP_WRITE:  // struct fuse_write_in {fh, offset: 64 bits; size …}
        memcpy(&count, argument + 16, sizeof count);
        return count <= room;
    case OP_IOCTL:  // struct fuse_ioctl_in {fh: 64 bits; flags, cmd: 32; arg: 64; in_size …}
        memcpy(&count, argument + 24, sizeof count);
        return count <= room;
    case OP_BATCH_FORGET:
        memcpy(&count, argument, sizeof count);
        return count <= room / sizeof(struct cfuse_forget_one);
    default: return true;
    }
}

bool cfuse_refuse_malformed(struct cfuse_worker *worker, const struct in_header *header) {
    // Interrupts are not acted upon, so there is nothing to reply; no notification is ever asked a reply to.
    if (header->opcode == OP_INTERRUPT || header->opcode == OP_NOTIFY_REPLY) return true;
    struct shape shape = {0};
    if (header->opcode < sizeof shapes / sizeof *shapes) shape = shapes[header->opcode];
    int error = 0;
    size_t room = worker->received - sizeof *header;
    if (header->len != worker->received) {
        error = EIO;
    } else if (shape.flags & CHECKED) {
        const unsigned char *argument = worker->request + sizeof *header;
        if (room < shape.fixed || !counts_fit(header->opcode, argument, room - shape.fixed)) {
            error = EIO;
        } else {
            error = check_names(&shape, (const char *)argument + shape.fixed, room - shape.fixed);
        }
    }
    if (error == 0) return false;
    if (!(shape.flags & NO_REPLY)) {
        struct cfuse_request request = cfuse_make_request(NULL, header, 0);
        cfuse_reply_error(&request, error);
    }
    return true;
}
