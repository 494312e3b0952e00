// What Strata uses of libcurl, under names of its own: Swift cannot call variadic functions.
//
// The library is loaded at the first use, not with the program: it brings some thirty others along, which cost every
// command several milliseconds, also those that never use the network.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Loads libcurl and makes it ready. Returns NULL, or why that cannot be. To be called once, before anything else here.
const char *ccurl_load(void);

// MARK: One request

typedef struct ccurl_transfer ccurl_transfer;

/// What a callback returns to be called again after ccurl_resume(), and to end the transfer.
extern const size_t ccurl_pause;
extern const size_t ccurl_abort;

struct ccurl_callbacks {
    /// Takes a line of the answer's header, with the line break; returns count or ccurl_abort.
    size_t (*header)(void *context, const char *bytes, size_t count);
    /// Takes a part of the answer's body, all of it or nothing; returns count, ccurl_pause or ccurl_abort.
    size_t (*body)(void *context, const char *bytes, size_t count);
    /// Puts a part of the request's body into `room`; returns how much, 0 at its end, ccurl_pause or ccurl_abort.
    size_t (*read)(void *context, char *room, size_t size);
    /// Goes back to the beginning of the request's body; returns whether that can be done.
    int (*rewind)(void *context);
};

/// A request that is not sent yet; NULL without memory. The callbacks are called on the thread of the loop.
ccurl_transfer *ccurl_transfer_new(const struct ccurl_callbacks *callbacks);
/// What the callbacks get.
void ccurl_set_context(ccurl_transfer *transfer, void *context);
/// To be called when the transfer is in no loop.
void ccurl_transfer_free(ccurl_transfer *transfer);

// What these cannot do makes ccurl_loop_add() fail.
void ccurl_request(ccurl_transfer *transfer, const char *method, const char *url, int http2);
void ccurl_add_header(ccurl_transfer *transfer, const char *line);
/// The request has a body of `size` bytes; -1 where that is not known.
void ccurl_upload(ccurl_transfer *transfer, int64_t size);
/// Whether the server must prove who it is; the certificates (PEM) that it is trusted by: those in `file` and, instead,
/// those in `roots`. The library's own choice where both are NULL.
void ccurl_trust(ccurl_transfer *transfer, int verifies, const char *file, const void *roots, size_t size);
/// The proxy, `http://host:port`, and what it is told to let us through; "" for none.
void ccurl_proxy(ccurl_transfer *transfer, const char *address, const char *user, const char *password);
/// An address to take for a host, `host:port:address`.
void ccurl_add_address(ccurl_transfer *transfer, const char *entry);
void ccurl_connect_timeout(ccurl_transfer *transfer, int64_t milliseconds);

/// How many bytes of bodies went and came so far; -1 while no connection is made.
int64_t ccurl_progress(ccurl_transfer *transfer);

/// Goes on with what a callback has paused; may call back.
int ccurl_resume(ccurl_transfer *transfer);

/// Why a transfer came to nothing.
enum ccurl_failure {
    CCURL_NONE,
    CCURL_NO_MEMORY,
    CCURL_BAD_ADDRESS,
    CCURL_UNKNOWN_HOST,
    CCURL_UNKNOWN_PROXY,
    CCURL_NO_CONNECTION,
    CCURL_TIMED_OUT,
    CCURL_NO_TLS,
    CCURL_TLS_FAILED,
    CCURL_UNTRUSTED,
    CCURL_WRONG_NAME,
    CCURL_BAD_CERTIFICATES,
    CCURL_PROXY_WANTS_CREDENTIALS,
    CCURL_PROXY_REFUSES,
    CCURL_NO_HTTP,
    CCURL_CLOSED,
    CCURL_STOPPED_BY_US,
    CCURL_OTHER,
};

struct ccurl_outcome {
    enum ccurl_failure failure;
    /// errno of the connection attempt; 0 where there is none.
    int32_t system_error;
    /// In the library's words; lives as long as the transfer.
    const char *text;
};

// MARK: Many requests

/// Drives transfers on one thread and keeps their connections.
typedef struct ccurl_loop ccurl_loop;

/// To be called by the thread that drives a loop, before anything else: there, a connection that was closed is an error
/// and no SIGPIPE.
void ccurl_loop_begin(void);

ccurl_loop *ccurl_loop_new(void);
void ccurl_loop_free(ccurl_loop *loop);
/// Returns 0, or the library's code where the request cannot be made.
int ccurl_loop_add(ccurl_loop *loop, ccurl_transfer *transfer);
void ccurl_loop_remove(ccurl_loop *loop, ccurl_transfer *transfer);
/// Does what can be done without waiting; returns 0 or the library's code.
int ccurl_loop_perform(ccurl_loop *loop);
/// The context of a transfer that has ended, and how; NULL when there is no further one.
void *ccurl_loop_finished(ccurl_loop *loop, struct ccurl_outcome *outcome);
/// Waits until there is something to do or ccurl_loop_wake() is called, and no longer than that.
int ccurl_loop_wait(ccurl_loop *loop, int milliseconds);
/// The one function that any thread may call.
void ccurl_loop_wake(ccurl_loop *loop);
