#include "transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const size_t ccurl_pause = CURL_WRITEFUNC_PAUSE;
const size_t ccurl_abort = CURL_READFUNC_ABORT;

// libcurl takes a function's result for the number of bytes; any other than that ends the transfer.
_Static_assert(CURL_WRITEFUNC_PAUSE == CURL_READFUNC_PAUSE, "one value pauses both ways");

static size_t take_header(char *bytes, size_t size, size_t count, void *context) {
    ccurl_transfer *transfer = context;
    return transfer->callbacks.header(transfer->context, bytes, size * count);
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context) {
    ccurl_transfer *transfer = context;
    return transfer->callbacks.body(transfer->context, bytes, size * count);
}

static size_t give_body(char *room, size_t size, size_t count, void *context) {
    ccurl_transfer *transfer = context;
    return transfer->callbacks.read(transfer->context, room, size * count);
}

static int rewind_body(void *context, curl_off_t offset, int origin) {
    ccurl_transfer *transfer = context;
    if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
    return transfer->callbacks.rewind(transfer->context) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_CANTSEEK;
}

// Keeps the first failure.
static void note(ccurl_transfer *transfer, CURLcode code) {
    if (transfer->setting == CURLE_OK) transfer->setting = code;
}

#define SET(option, value) note(transfer, ccurl_library.easy_setopt(transfer->easy, option, value))

static void set_up(ccurl_transfer *transfer) {
    SET(CURLOPT_PRIVATE, transfer);
    SET(CURLOPT_ERRORBUFFER, transfer->error);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_NOPROGRESS, 1L);
    // Everything about where a request goes is decided above: nothing is followed, nothing read from the user's files.
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
    SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    // A name that is being looked up keeps nobody waiting.
    SET(CURLOPT_QUICK_EXIT, 1L);
#endif
    SET(CURLOPT_BUFFERSIZE, 256L << 10);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, transfer);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, transfer);
    SET(CURLOPT_READFUNCTION, give_body);
    SET(CURLOPT_READDATA, transfer);
    SET(CURLOPT_SEEKFUNCTION, rewind_body);
    SET(CURLOPT_SEEKDATA, transfer);
}

ccurl_transfer *ccurl_transfer_new(const struct ccurl_callbacks *callbacks) {
    ccurl_transfer *transfer = calloc(1, sizeof *transfer);
    if (!transfer) return NULL;
    transfer->easy = ccurl_library.easy_init();
    if (!transfer->easy) {
        free(transfer);
        return NULL;
    }
    transfer->callbacks = *callbacks;
    set_up(transfer);
    return transfer;
}

void ccurl_set_context(ccurl_transfer *transfer, void *context) { transfer->context = context; }

void ccurl_transfer_free(ccurl_transfer *transfer) {
    ccurl_library.easy_cleanup(transfer->easy);
    ccurl_library.slist_free_all(transfer->headers);
    ccurl_library.slist_free_all(transfer->addresses);
    free(transfer);
}

void ccurl_request(ccurl_transfer *transfer, const char *method, const char *url, int http2) {
    SET(CURLOPT_URL, url);
    SET(CURLOPT_HTTP_VERSION, http2 ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
    if (strcmp(method, "HEAD") == 0)
        SET(CURLOPT_NOBODY, 1L);
    else
        SET(CURLOPT_CUSTOMREQUEST, method);
}

static void append(ccurl_transfer *transfer, struct curl_slist **list, const char *text) {
    struct curl_slist *longer = ccurl_library.slist_append(*list, text);
    if (longer)
        *list = longer;
    else
        note(transfer, CURLE_OUT_OF_MEMORY);
}

void ccurl_add_header(ccurl_transfer *transfer, const char *line) { append(transfer, &transfer->headers, line); }

void ccurl_add_address(ccurl_transfer *transfer, const char *entry) { append(transfer, &transfer->addresses, entry); }

void ccurl_upload(ccurl_transfer *transfer, int64_t size) {
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)size);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
}

void ccurl_trust(ccurl_transfer *transfer, int verifies, const char *file, const void *roots, size_t size) {
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, verifies ? 1L : 0L);
    SET(CURLOPT_SSL_VERIFYHOST, verifies ? 2L : 0L);
    if (!verifies) return;
    // One source: only what comes from a file alone is kept from connection to connection.
    if (file || roots) SET(CURLOPT_CAPATH, NULL);
    if (roots) {
        struct curl_blob blob = {(void *)roots, size, CURL_BLOB_COPY};
        SET(CURLOPT_CAINFO_BLOB, &blob);
    } else if (file) {
        SET(CURLOPT_CAINFO, file);
    }
}

void ccurl_proxy(ccurl_transfer *transfer, const char *address, const char *user, const char *password) {
    // Both given, so that the library asks the environment for neither.
    SET(CURLOPT_PROXY, address);
    SET(CURLOPT_NOPROXY, "");
    if (!user) return;
    SET(CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
    SET(CURLOPT_PROXYUSERNAME, user);
    SET(CURLOPT_PROXYPASSWORD, password ? password : "");
}

void ccurl_connect_timeout(ccurl_transfer *transfer, int64_t milliseconds) {
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)milliseconds);
}

int64_t ccurl_progress(ccurl_transfer *transfer) {
    curl_off_t begun = 0, sent = 0, received = 0;
    ccurl_library.easy_getinfo(transfer->easy, CURLINFO_PRETRANSFER_TIME_T, &begun);
    if (begun == 0) return -1;
    ccurl_library.easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    ccurl_library.easy_getinfo(transfer->easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
    return (int64_t)((uint64_t)sent + (uint64_t)received);
}

int ccurl_resume(ccurl_transfer *transfer) { return ccurl_library.easy_pause(transfer->easy, CURLPAUSE_CONT); }

static int says(const ccurl_transfer *transfer, const char *words) { return strstr(transfer->error, words) != NULL; }

static enum ccurl_failure sort(ccurl_transfer *transfer, CURLcode code) {
    long answer = 0;
    ccurl_library.easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &answer);
    if (code != CURLE_OK && answer == 407) return CCURL_PROXY_WANTS_CREDENTIALS;
    if (code != CURLE_OK && answer >= 300) return CCURL_PROXY_REFUSES;
    switch (code) {
    case CURLE_OK: return CCURL_NONE;
    case CURLE_OUT_OF_MEMORY: return CCURL_NO_MEMORY;
    case CURLE_URL_MALFORMAT: case CURLE_LOGIN_DENIED: return CCURL_BAD_ADDRESS;
    case CURLE_COULDNT_RESOLVE_HOST: return CCURL_UNKNOWN_HOST;
    case CURLE_COULDNT_RESOLVE_PROXY: return CCURL_UNKNOWN_PROXY;
    case CURLE_COULDNT_CONNECT: return CCURL_NO_CONNECTION;
    case CURLE_OPERATION_TIMEDOUT: return CCURL_TIMED_OUT;
    case CURLE_SSL_CONNECT_ERROR:
        if (says(transfer, "wrong version number") || says(transfer, "http request")) return CCURL_NO_TLS;
        if (says(transfer, "SSL_ERROR_SYSCALL") || says(transfer, "unexpected eof")) return CCURL_CLOSED;
        return CCURL_TLS_FAILED;
    case CURLE_PEER_FAILED_VERIFICATION:
        return says(transfer, "target host name") ? CCURL_WRONG_NAME : CCURL_UNTRUSTED;
    case CURLE_SSL_CACERT_BADFILE: return CCURL_BAD_CERTIFICATES;
    case CURLE_UNSUPPORTED_PROTOCOL: case CURLE_WEIRD_SERVER_REPLY: case CURLE_BAD_CONTENT_ENCODING: return CCURL_NO_HTTP;
    case CURLE_GOT_NOTHING: case CURLE_SEND_ERROR: case CURLE_RECV_ERROR: case CURLE_PARTIAL_FILE: return CCURL_CLOSED;
    case CURLE_WRITE_ERROR: case CURLE_ABORTED_BY_CALLBACK: return CCURL_STOPPED_BY_US;
    default: return CCURL_OTHER;
    }
}

struct ccurl_outcome ccurl_outcome(ccurl_transfer *transfer, CURLcode code) {
    long system_error = 0;
    ccurl_library.easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &system_error);
    return (struct ccurl_outcome){
        sort(transfer, code),
        (int32_t)system_error,
        transfer->error[0] ? transfer->error : ccurl_library.easy_strerror(code),
    };
}
