#include <signal.h>
#include <stdlib.h>

#include "transfer.h"

// A handle of libcurl is one of its own types behind a pointer; this one only has another name.
static CURLM *multi(ccurl_loop *loop) { return (CURLM *)loop; }

void ccurl_loop_begin(void) {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
}

ccurl_loop *ccurl_loop_new(void) { return (ccurl_loop *)ccurl_library.multi_init(); }

void ccurl_loop_free(ccurl_loop *loop) { ccurl_library.multi_cleanup(multi(loop)); }

int ccurl_loop_add(ccurl_loop *loop, ccurl_transfer *transfer) {
    if (transfer->headers && transfer->setting == CURLE_OK)
        transfer->setting = ccurl_library.easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
    if (transfer->addresses && transfer->setting == CURLE_OK)
        transfer->setting = ccurl_library.easy_setopt(transfer->easy, CURLOPT_RESOLVE, transfer->addresses);
    if (transfer->setting != CURLE_OK) return (int)transfer->setting;
    return (int)ccurl_library.multi_add_handle(multi(loop), transfer->easy);
}

void ccurl_loop_remove(ccurl_loop *loop, ccurl_transfer *transfer) {
    ccurl_library.multi_remove_handle(multi(loop), transfer->easy);
}

int ccurl_loop_perform(ccurl_loop *loop) {
    int running = 0;
    return (int)ccurl_library.multi_perform(multi(loop), &running);
}

void *ccurl_loop_finished(ccurl_loop *loop, struct ccurl_outcome *outcome) {
    for (;;) {
        int left = 0;
        CURLMsg *message = ccurl_library.multi_info_read(multi(loop), &left);
        if (!message) return NULL;
        if (message->msg != CURLMSG_DONE) continue;
        char *private = NULL;
        ccurl_library.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        ccurl_transfer *transfer = (ccurl_transfer *)private;
        if (!transfer) continue;
        *outcome = ccurl_outcome(transfer, message->data.result);
        return transfer->context;
    }
}

int ccurl_loop_wait(ccurl_loop *loop, int milliseconds) {
    return (int)ccurl_library.multi_poll(multi(loop), NULL, 0, milliseconds, NULL);
}

void ccurl_loop_wake(ccurl_loop *loop) { ccurl_library.multi_wakeup(multi(loop)); }
