// Waiting for signals without handlers.
#include "internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

int cfuse_wait_for_end(int fd) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    int signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (signals < 0) return -1;
    struct pollfd waits[2] = {{.fd = fd, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    int result = -1;
    int ready;
    do {
        ready = poll(waits, 2, -1);
    } while (ready < 0 && errno == EINTR);
    if (ready > 0 && waits[1].revents & POLLIN) {
        // Taken, so that it does not end the process when it is unblocked.
        struct signalfd_siginfo info;
        if (read(signals, &info, sizeof info) == sizeof info) result = (int)info.ssi_signo;
    } else if (ready > 0) {
        result = 0;
    }
    close(signals);
    return result;
}
