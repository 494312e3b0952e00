// Replies, to requests that libfuse decoded and to those that extended.c did.
#include "internal.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int result(int code) {
    if (code >= 0) return 0;
    errno = -code;
    return -1;
}

static int write_reply(const struct cfuse_request *request, int32_t error, const struct iovec *pieces, int count) {
    struct cfuse_worker *worker = cfuse_current;
    if (!worker) {
        errno = EINVAL;
        return -1;
    }
    struct out_header header = {.len = sizeof header, .error = error, .unique = request->unique};
    struct iovec iov[3] = {{&header, sizeof header}};
    for (int i = 0; i < count; i++) {
        iov[i + 1] = pieces[i];
        header.len += (uint32_t)pieces[i].iov_len;
    }
    if (worker->session->parameters.traces) cfuse_trace_reply(header.unique, error, header.len);
    return writev(worker->fd, iov, count + 1) < 0 ? -1 : 0;
}

int cfuse_reply_error(const struct cfuse_request *request, int32_t error) {
    // The protocol carries errors up to 511 (kernel: `oh.error <= -512` is refused).
    if (error < 0 || error > 511) error = EIO;
    if (request->handle) return result(fuse_reply_err(request->handle, error));
    return write_reply(request, -error, NULL, 0);
}

int cfuse_reply_bytes(const struct cfuse_request *request, const void *bytes, size_t size) {
    if (request->handle) return result(fuse_reply_buf(request->handle, bytes, size));
    struct iovec piece = {(void *)bytes, size};
    return write_reply(request, 0, &piece, 1);
}

int cfuse_reply_pieces(const struct cfuse_request *request, const void *first, size_t first_size, const void *second,
                       size_t second_size) {
    struct iovec pieces[2] = {{(void *)first, first_size}, {(void *)second, second_size}};
    if (request->handle) return result(fuse_reply_iov(request->handle, pieces, 2));
    return write_reply(request, 0, pieces, 2);
}

// Splicing saves a copy and costs some system calls; below this size the copy is cheaper.
enum { SPLICE_THRESHOLD = 64 << 10 };

int cfuse_reply_file(const struct cfuse_request *request, int fd, int64_t offset, size_t size) {
    struct cfuse_worker *worker = cfuse_current;
    if (!worker) return cfuse_reply_error(request, EIO);
    if (request->handle && worker->session->parameters.splice_replies && size >= SPLICE_THRESHOLD) {
        struct fuse_bufvec source = FUSE_BUFVEC_INIT(size);
        source.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
        source.buf[0].fd = fd;
        source.buf[0].pos = offset;
        // Not moved: moving would take the pages out of the page cache of the file they belong to.
        return result(fuse_reply_data(request->handle, &source, (enum fuse_buf_copy_flags)0));
    }
    if (size > worker->scratch_room) size = worker->scratch_room;
    size_t done = 0;
    while (done < size) {
        ssize_t count = pread(fd, worker->scratch + done, size - done, offset + (int64_t)done);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && done == 0) return cfuse_reply_error(request, errno);
        if (count <= 0) break;
        done += (size_t)count;
    }
    return cfuse_reply_bytes(request, worker->scratch, done);
}
