// Own-named wrappers for what supervising processes takes: signals as bytes of a pipe, adopted orphans, and
// descriptors handed over a unix socket. As in clinux.h, -1 with errno set means failure.
#pragma once

#include <stdint.h>

/// Makes orphaned descendants children of this process (PR_SET_CHILD_SUBREAPER).
int clinux_become_subreaper(void);

/// Catches `signals`: from now on each arrival is one byte, the signal's number, in the pipe whose read end is
/// returned (non-blocking, closed on exec). One such pipe per process: EBUSY while another is open.
int clinux_signal_pipe_open(const int32_t *signals, int32_t count);
/// Puts back the dispositions that the signals had, and closes the pipe.
void clinux_signal_pipe_close(void);

/// A listening unix socket at `path`, closed on exec. ENAMETOOLONG where the path does not fit sockaddr_un.
int clinux_unix_listen(const char *path);
/// A unix socket connected to the one that listens at `path`, closed on exec. ENAMETOOLONG as above.
int clinux_unix_connect(const char *path);
/// accept4(2), closed on exec.
int clinux_accept(int socket);
/// Receives one descriptor over a unix socket (SCM_RIGHTS), closed on exec. EPROTO when none came.
int clinux_receive_descriptor(int socket);

struct clinux_window_size {
    uint16_t rows, columns, x_pixels, y_pixels;
};
int clinux_get_window_size(int terminal, struct clinux_window_size *size);
int clinux_set_window_size(int terminal, const struct clinux_window_size *size);

/// 1 where the kernel takes calls of the x32 ABI (64-bit registers, 32-bit addresses), else 0. A child asks it, for the
/// case that a filter of this process's own kills whoever does.
int clinux_runs_x32(void);
