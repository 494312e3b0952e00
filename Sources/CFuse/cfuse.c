// The session: making it, mounting, ending, passthrough and notifications.
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_log.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

// libfuse explains itself in log lines only; the last one is the reason of a failure.
static char last_message[512];
static pthread_mutex_t message_lock = PTHREAD_MUTEX_INITIALIZER;

static void keep_message(enum fuse_log_level level, const char *format, va_list arguments) {
    if (level > FUSE_LOG_WARNING) return;
    char line[sizeof last_message];
    vsnprintf(line, sizeof line, format, arguments);
    const char *text = strncmp(line, "fuse: ", 6) == 0 ? line + 6 : line;
    pthread_mutex_lock(&message_lock);
    snprintf(last_message, sizeof last_message, "%s", text);
    last_message[strcspn(last_message, "\n")] = 0;
    pthread_mutex_unlock(&message_lock);
}

const char *cfuse_last_message(void) { return last_message; }

struct cfuse_session *cfuse_session_new(int argc, char *const *arguments, const struct cfuse_operations *operations,
                                        void *context, const struct cfuse_parameters *parameters) {
    fuse_set_log_func(keep_message);
    struct cfuse_session *session = calloc(1, sizeof *session);
    if (!session) return NULL;
    session->operations = *operations;
    session->context = context;
    session->parameters = *parameters;
    session->fd = -1;
    // fuse_session_new takes options out of the vector that it is given, so it gets a copy that it may change.
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    bool complete = true;
    for (int i = 0; i < argc; i++) complete = fuse_opt_add_arg(&args, arguments[i]) == 0 && complete;
    if (complete) {
        session->fuse = fuse_session_new(&args, &cfuse_lowlevel_operations, sizeof cfuse_lowlevel_operations, session);
    }
    fuse_opt_free_args(&args);
    if (!session->fuse) {
        free(session);
        return NULL;
    }
    return session;
}

int cfuse_session_mount(struct cfuse_session *session, const char *mount_point) {
    errno = 0;
    if (fuse_session_mount(session->fuse, mount_point) != 0) {
        if (errno == 0) errno = EIO;
        return -1;
    }
    int fd = fuse_session_fd(session->fuse);
    session->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (session->fd < 0 || fuse_session_custom_io(session->fuse, &cfuse_io, fd) != 0) {
        if (errno == 0) errno = EIO;
        fuse_session_unmount(session->fuse);
        return -1;
    }
    return 0;
}

int cfuse_session_attach(struct cfuse_session *session, int channel) {
    session->fd = fcntl(channel, F_DUPFD_CLOEXEC, 3);
    int own = session->fd < 0 ? -1 : fcntl(channel, F_DUPFD_CLOEXEC, 3);
    if (own < 0) return -1;
    // libfuse closes `own`.
    return fuse_session_custom_io(session->fuse, &cfuse_io, own) == 0 ? 0 : -1;
}

int cfuse_session_has_ended(const struct cfuse_session *session) {
    struct pollfd channel = {.fd = session->fd, .events = 0};
    return poll(&channel, 1, 0) == 1 && channel.revents & POLLERR;
}

void cfuse_session_unmount(struct cfuse_session *session) { fuse_session_unmount(session->fuse); }

void cfuse_session_close(struct cfuse_session *session) {
    if (session->fd >= 0) close(session->fd);
    session->fd = -1;
}

void cfuse_session_destroy(struct cfuse_session *session) {
    fuse_session_destroy(session->fuse);
    cfuse_session_close(session);
    free(session);
}

int cfuse_session_fd(const struct cfuse_session *session) { return session->fd; }
uint64_t cfuse_session_agreed(const struct cfuse_session *session) { return atomic_load(&session->agreed); }

// MARK: Passthrough (linux/fuse.h: FUSE_DEV_IOC_BACKING_OPEN and _CLOSE)

struct backing_map {
    int32_t fd;
    uint32_t flags;
    uint64_t padding;
};

int32_t cfuse_backing_open(const struct cfuse_session *session, int fd) {
    struct backing_map map = {.fd = fd};
    if (session->fd < 0) {
        errno = ENODEV;
        return -1;
    }
    return ioctl(session->fd, _IOW(229, 1, struct backing_map), &map);
}

int cfuse_backing_close(const struct cfuse_session *session, int32_t id) {
    uint32_t number = (uint32_t)id;
    return ioctl(session->fd, _IOW(229, 2, uint32_t), &number);
}

// MARK: Notifications

int cfuse_notify_inode(struct cfuse_session *session, uint64_t node, int64_t offset, int64_t length) {
    return fuse_lowlevel_notify_inval_inode(session->fuse, node, offset, length);
}

int cfuse_store_file(struct cfuse_session *session, uint64_t node, int fd, size_t size) {
    size_t room;
    void *memory = cfuse_scratch(&room);
    if (!memory || size > room) return -EINVAL;
    ssize_t count = pread(fd, memory, size, 0);
    if (count < 0) return -errno;
    if (count == 0) return 0;
    struct fuse_bufvec data = FUSE_BUFVEC_INIT((size_t)count);
    data.buf[0].mem = memory;
    return fuse_lowlevel_notify_store(session->fuse, node, 0, &data, 0);
}

int cfuse_notify_entry(struct cfuse_session *session, uint64_t parent, const char *name, size_t length) {
    return fuse_lowlevel_notify_inval_entry(session->fuse, parent, name, length);
}

