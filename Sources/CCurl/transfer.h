// What the two halves of this target share. Not for Swift.
#pragma once

#include "ccurl.h"
#include "library.h"

struct ccurl_transfer {
    CURL *easy;
    struct ccurl_callbacks callbacks;
    void *context;
    struct curl_slist *headers, *addresses;
    /// The first thing that could not be set.
    CURLcode setting;
    char error[CURL_ERROR_SIZE];
};

struct ccurl_outcome ccurl_outcome(ccurl_transfer *transfer, CURLcode code);
