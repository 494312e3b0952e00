// Workers: receiving requests, handing each to its decoder, and the hooks through which libfuse replies.
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

_Thread_local struct cfuse_worker *cfuse_current;

// A channel of one's own keeps the workers' replies off one lock. It is not given out where /dev/fuse cannot be
// opened, as in a sandbox; a duplicate of the session's channel does as well.
static int open_channel(const struct cfuse_session *session) {
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
        uint32_t master = (uint32_t)session->fd;
        if (ioctl(fd, _IOR(229, 0, uint32_t), &master) == 0) return fd;
        close(fd);
    }
    return fcntl(session->fd, F_DUPFD_CLOEXEC, 3);
}

// Pages that are never touched take no memory, so the room for the largest request costs nothing until it comes.
static void *map_room(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

struct cfuse_worker *cfuse_worker_new(struct cfuse_session *session) {
    struct cfuse_worker *worker = calloc(1, sizeof *worker);
    if (!worker) return NULL;
    worker->session = session;
    worker->request_room = LARGEST_WRITE + HEADER_ROOM;
    worker->scratch_room = LARGEST_WRITE;
    worker->request = map_room(worker->request_room);
    worker->scratch = map_room(worker->scratch_room);
    worker->fd = open_channel(session);
    if (!worker->request || !worker->scratch || worker->fd < 0) {
        int error = errno;
        cfuse_worker_free(worker);
        errno = error;
        return NULL;
    }
    return worker;
}

void cfuse_worker_free(struct cfuse_worker *worker) {
    if (worker->fd >= 0) close(worker->fd);
    if (worker->request) munmap(worker->request, worker->request_room);
    if (worker->scratch) munmap(worker->scratch, worker->scratch_room);
    free(worker);
}

ssize_t cfuse_worker_receive(struct cfuse_worker *worker) {
    // Room for a zero behind the last name, come what may.
    ssize_t size = read(worker->fd, worker->request, worker->request_room - 1);
    if (size < 0) {
        worker->received = 0;
        // ENOENT: the caller took the request back; EAGAIN: another worker was faster.
        return errno == ENOENT || errno == EAGAIN ? 0 : -1;
    }
    worker->received = (size_t)size;
    worker->request[size] = 0;
    return size;
}

void cfuse_worker_process(struct cfuse_worker *worker) {
    const struct in_header *header = (const struct in_header *)worker->request;
    if (worker->received < sizeof *header) return;
    cfuse_current = worker;
    if (worker->session->parameters.traces) cfuse_trace_request(worker, header);
    if (cfuse_refuse_malformed(worker, header)) {
        cfuse_current = NULL;
        return;
    }
    if (header->opcode == OP_INIT) cfuse_note_init(worker, header);
    if (!cfuse_serve_extended(worker, header)) {
        struct fuse_buf buffer = {.size = worker->received, .mem = worker->request};
        fuse_session_process_buf(worker->session->fuse, &buffer);
    }
    cfuse_current = NULL;
}

void *cfuse_scratch(size_t *size) {
    struct cfuse_worker *worker = cfuse_current;
    *size = worker ? worker->scratch_room : 0;
    return worker ? worker->scratch : NULL;
}

// MARK: INIT

struct init_in {
    uint32_t major, minor, max_readahead, flags, flags2;
};

struct init_out {
    uint32_t major, minor, max_readahead, flags;
    uint16_t max_background, congestion_threshold;
    uint32_t max_write, time_gran;
    uint16_t max_pages, map_alignment;
    uint32_t flags2, max_stack_depth;
    uint32_t unused[6];
};

void cfuse_note_init(struct cfuse_worker *worker, const struct in_header *header) {
    struct cfuse_session *session = worker->session;
    const unsigned char *argument = worker->request + sizeof *header;
    size_t size = worker->received - sizeof *header;
    struct init_in in = {0};
    memcpy(&in, argument, size < sizeof in ? size : sizeof in);
    uint64_t offered = in.flags;
    if (in.flags & INIT_EXT) offered |= (uint64_t)in.flags2 << 32;
    session->init_unique = header->unique;
    session->kernel_readahead = in.max_readahead;
    atomic_store(&session->offered, offered);
}

static uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

// Replaces the answer that libfuse composed by what the parameters ask for and the kernel offers.
static void write_init_reply(struct cfuse_session *session, struct init_out *out) {
    const struct cfuse_parameters *wanted = &session->parameters;
    uint64_t offered = atomic_load(&session->offered);
    uint64_t agreed = (wanted->wanted | INIT_EXT) & offered;
    const uint64_t passthrough = 1ull << 37, writeback = 1ull << 16, max_pages = 1ull << 22;
    // The kernel refuses passthrough together with the writeback cache, and without a stack depth.
    if (agreed & writeback || wanted->max_stack_depth == 0) agreed &= ~passthrough;
    out->flags = (uint32_t)agreed;
    out->flags2 = agreed & INIT_EXT ? (uint32_t)(agreed >> 32) : 0;
    out->max_stack_depth = agreed & passthrough ? wanted->max_stack_depth : 0;
    out->max_readahead = smaller(wanted->max_readahead, session->kernel_readahead);
    out->max_background = (uint16_t)wanted->max_background;
    out->congestion_threshold = (uint16_t)wanted->congestion_threshold;
    out->max_write = smaller(wanted->max_write, LARGEST_WRITE);
    out->max_pages = agreed & max_pages ? (uint16_t)((out->max_write - 1) / (uint32_t)getpagesize() + 1) : 0;
    out->time_gran = 1;
    // Never 0, by which Swift tells that the session has been agreed on.
    atomic_store(&session->agreed, agreed | INIT_EXT);
}

// MARK: libfuse's way out

static int channel(int fd) {
    const struct cfuse_worker *worker = cfuse_current;
    return worker ? worker->fd : fd;
}

static ssize_t hook_writev(int fd, struct iovec *iov, int count, void *userdata) {
    struct cfuse_session *session = userdata;
    const struct cfuse_worker *worker = cfuse_current;
    if (session && session->parameters.traces) {
        const struct out_header *header = iov[0].iov_base;
        size_t size = 0;
        for (int i = 0; i < count; i++) size += iov[i].iov_len;
        cfuse_trace_reply(header->unique, header->error, size);
    }
    // A notification from a thread that serves nothing: libfuse's descriptor may be closed already.
    if (!worker) return writev(session ? session->fd : fd, iov, count);
    if (atomic_load_explicit(&session->agreed, memory_order_relaxed) == 0 && count >= 2) {
        const struct out_header *header = iov[0].iov_base;
        if (header->unique == session->init_unique && header->error == 0 && iov[1].iov_len >= sizeof(struct init_out)) {
            write_init_reply(session, iov[1].iov_base);
        }
    }
    return writev(worker->fd, iov, count);
}

// libfuse demands this hook; requests are read by cfuse_worker_receive.
static ssize_t hook_read(int fd, void *buffer, size_t size, void *userdata) {
    (void)userdata;
    return read(channel(fd), buffer, size);
}

static ssize_t hook_splice_send(int from, off_t *from_offset, int to, off_t *to_offset, size_t length,
                                unsigned int flags, void *userdata) {
    const struct cfuse_session *session = userdata;
    if (session && session->parameters.traces && cfuse_current) {
        cfuse_trace_reply(((const struct in_header *)cfuse_current->request)->unique, 0, length);
    }
    return splice(from, from_offset, channel(to), to_offset, length, flags);
}

const struct fuse_custom_io cfuse_io = {
    .writev = hook_writev,
    .read = hook_read,
    .splice_send = hook_splice_send,
};
