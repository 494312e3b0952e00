#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "clinux_process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

int clinux_become_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

// MARK: Signals

#define MAX_SIGNALS 32

static pthread_mutex_t pipe_lock = PTHREAD_MUTEX_INITIALIZER;
static volatile int write_end = -1;
static int read_end = -1;
static int caught[MAX_SIGNALS];
static struct sigaction former[MAX_SIGNALS];
static int caught_count;

static void note_signal(int signal) {
    int saved = errno;
    unsigned char byte = (unsigned char)signal;
    int end = write_end;
    if (end >= 0) {
        ssize_t ignored = write(end, &byte, 1);
        (void)ignored;
    }
    errno = saved;
}

static void restore(void) {
    for (int i = 0; i < caught_count; i++) sigaction(caught[i], &former[i], NULL);
    caught_count = 0;
    int end = write_end;
    write_end = -1;
    if (end >= 0) close(end);
    if (read_end >= 0) close(read_end);
    read_end = -1;
}

int clinux_signal_pipe_open(const int32_t *signals, int32_t count) {
    if (count < 0 || count > MAX_SIGNALS) {
        errno = EINVAL;
        return -1;
    }
    pthread_mutex_lock(&pipe_lock);
    int result = -1;
    int ends[2];
    if (write_end >= 0) {
        errno = EBUSY;
    } else if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0) {
        read_end = ends[0];
        write_end = ends[1];
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_handler = note_signal;
        action.sa_flags = SA_RESTART;
        sigfillset(&action.sa_mask);
        result = read_end;
        for (int32_t i = 0; i < count; i++) {
            if (sigaction(signals[i], &action, &former[caught_count]) < 0) {
                int code = errno;
                restore();
                errno = code;
                result = -1;
                break;
            }
            caught[caught_count++] = signals[i];
        }
    }
    pthread_mutex_unlock(&pipe_lock);
    return result;
}

void clinux_signal_pipe_close(void) {
    pthread_mutex_lock(&pipe_lock);
    restore();
    pthread_mutex_unlock(&pipe_lock);
}

// MARK: Sockets

// A new socket, and the address of a path in `address`; -1 and an error number where one cannot be had.
static int unix_socket(const char *path, struct sockaddr_un *address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address->sun_path, path);
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

// Closes a socket on which something has failed; the error number stays that of the failure.
static int given_up(int s) {
    int code = errno;
    close(s);
    errno = code;
    return -1;
}

int clinux_unix_listen(const char *path) {
    struct sockaddr_un address;
    int s = unix_socket(path, &address);
    if (s < 0) return -1;
    if (bind(s, (struct sockaddr *)&address, sizeof address) < 0 || listen(s, 4) < 0) return given_up(s);
    return s;
}

int clinux_unix_connect(const char *path) {
    struct sockaddr_un address;
    int s = unix_socket(path, &address);
    if (s < 0) return -1;
    if (connect(s, (struct sockaddr *)&address, sizeof address) < 0) return given_up(s);
    return s;
}

int clinux_accept(int socket) {
    return accept4(socket, NULL, NULL, SOCK_CLOEXEC);
}

int clinux_receive_descriptor(int socket) {
    char text[4096];
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {text, sizeof text};
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) < 0) return -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len >= CMSG_LEN(sizeof(int))) {
            int fd;
            memcpy(&fd, CMSG_DATA(c), sizeof fd);
            return fd;
        }
    }
    errno = EPROTO;
    return -1;
}

// MARK: Terminals

int clinux_get_window_size(int terminal, struct clinux_window_size *size) {
    struct winsize native;
    if (ioctl(terminal, TIOCGWINSZ, &native) < 0) return -1;
    *size = (struct clinux_window_size){native.ws_row, native.ws_col, native.ws_xpixel, native.ws_ypixel};
    return 0;
}

int clinux_set_window_size(int terminal, const struct clinux_window_size *size) {
    struct winsize native = {size->rows, size->columns, size->x_pixels, size->y_pixels};
    return ioctl(terminal, TIOCSWINSZ, &native);
}

// MARK: Instruction sets

#ifdef __x86_64__
#define X32_CALL 0x40000000L

static int ask_for_x32(void) {
    pid_t child = vfork();
    if (child < 0) return 0;
    if (child == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        _exit(syscall(X32_CALL | SYS_getpid) > 0);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return 0;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

int clinux_runs_x32(void) {
    // The child shares our memory for a moment: no handler of ours is to run in it.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int answer = ask_for_x32();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return answer;
}
#else
int clinux_runs_x32(void) {
    return 0;
}
#endif
