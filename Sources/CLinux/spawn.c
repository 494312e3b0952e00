#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

// Runs in the child, between fork and exec: async-signal-safe calls only.
static void become(const char *path, char *const arguments[], char *const environment[], const char *directory,
                   const int32_t *map, int32_t count, int new_session, int32_t mask, int report) {
    if (new_session) setsid();
    if (mask >= 0) umask((mode_t)mask);
    if (directory && chdir(directory) < 0) goto failed;

    // Lift every source above the targets first, so that no dup2 overwrites one still needed. No higher than that: there
    // may be few descriptors.
    int lifted[16];
    for (int32_t i = 0; i < count; i++) {
        lifted[i] = fcntl(map[i], F_DUPFD_CLOEXEC, count);
        if (lifted[i] < 0) goto unlifted;
    }
    int high = fcntl(report, F_DUPFD_CLOEXEC, count);
    if (high < 0) goto unlifted;
    report = high;
    for (int32_t i = 0; i < count; i++)
        if (dup2(lifted[i], i) < 0) goto failed;
    // 4: CLOSE_RANGE_CLOEXEC, so that the report pipe lives until exec succeeds.
    syscall(SYS_close_range, count, ~0U, 4);

    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int s = 1; s < 32; s++) {
        struct sigaction old;
        if (sigaction(s, NULL, &old) == 0 && old.sa_handler != SIG_DFL && s != SIGKILL && s != SIGSTOP) signal(s, SIG_DFL);
    }
    execvpe(path, arguments, environment ? environment : environ);
unlifted:
    // What fcntl says where the limit of descriptors is lower than the number asked for.
    if (errno == EINVAL) errno = EMFILE;
failed:;
    int code = errno;
    ssize_t ignored = write(report, &code, sizeof code);
    (void)ignored;
    _exit(127);
}

int32_t clinux_spawn(const char *path, char *const arguments[], char *const environment[], const char *directory,
                     const int32_t *map, int32_t count, int new_session, int32_t mask) {
    if (count < 0 || count > 16) {
        errno = EINVAL;
        return -1;
    }
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0) return -1;

    sigset_t all, old;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    pid_t pid = fork();
    if (pid == 0) {
        become(path, arguments, environment, directory, map, count, new_session, mask, report[1]);
    }
    int fork_error = errno;
    sigprocmask(SIG_SETMASK, &old, NULL);
    close(report[1]);
    if (pid < 0) {
        close(report[0]);
        errno = fork_error;
        return -1;
    }
    int code = 0;
    ssize_t got;
    do got = read(report[0], &code, sizeof code);
    while (got < 0 && errno == EINTR);
    close(report[0]);
    if (got == (ssize_t)sizeof code) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
        errno = code;
        return -1;
    }
    return pid;
}
