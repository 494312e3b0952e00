#include "library.h"

#include <dlfcn.h>
#include <stdio.h>

#include "ccurl.h"

struct library ccurl_library;

static char problem[512];

static int find(void *handle, const char *name, void *place) {
    void *symbol = dlsym(handle, name);
    if (!symbol) {
        snprintf(problem, sizeof problem, "it is too old: it has no %s", name);
        return 0;
    }
    *(void **)place = symbol;
    return 1;
}

const char *ccurl_load(void) {
    // What links it would have the dynamic loader name it; this is the same name.
    void *handle = dlopen("libcurl.so.4", RTLD_LAZY | RTLD_LOCAL);
    if (!handle) {
        const char *reason = dlerror();
        snprintf(problem, sizeof problem, "%s", reason ? reason : "it cannot be loaded");
        return problem;
    }
#define FIND(name) find(handle, "curl_" #name, &ccurl_library.name)
    int complete = FIND(global_init) && FIND(easy_init) && FIND(easy_cleanup) && FIND(easy_setopt) &&
                   FIND(easy_getinfo) && FIND(easy_pause) && FIND(easy_strerror) && FIND(slist_append) &&
                   FIND(slist_free_all) && FIND(multi_init) && FIND(multi_cleanup) && FIND(multi_setopt) &&
                   FIND(multi_add_handle) && FIND(multi_remove_handle) && FIND(multi_perform) && FIND(multi_poll) &&
                   FIND(multi_wakeup) && FIND(multi_info_read);
#undef FIND
    if (!complete) return problem;
    CURLcode code = ccurl_library.global_init(CURL_GLOBAL_DEFAULT);
    return code == CURLE_OK ? NULL : ccurl_library.easy_strerror(code);
}
