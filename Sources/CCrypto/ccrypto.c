#include "ccrypto.h"

#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
    __typeof__(OPENSSL_init_crypto) *init_crypto;
    __typeof__(OSSL_LIB_CTX_new) *library_new;
    __typeof__(EVP_MD_fetch) *fetch;
    __typeof__(EVP_MD_CTX_new) *context_new;
    __typeof__(EVP_MD_CTX_free) *context_free;
    __typeof__(EVP_MD_CTX_copy_ex) *copy;
    __typeof__(EVP_DigestInit_ex2) *init;
    __typeof__(EVP_DigestUpdate) *update;
    __typeof__(EVP_DigestFinal_ex) *final;
} library;

static EVP_MD *sha256;
static char problem[256];

static int find(void *handle, const char *name, void *place) {
    void *symbol = dlsym(handle, name);
    if (!symbol) {
        snprintf(problem, sizeof problem, "libcrypto has no %s", name);
        return 0;
    }
    *(void **)place = symbol;
    return 1;
}

#define TEXT(macro) TEXT_OF(macro)
#define TEXT_OF(text) #text

const char *ccrypto_load(void) {
    // The version whose headers this is compiled with.
    void *handle = dlopen("libcrypto.so." TEXT(OPENSSL_SHLIB_VERSION), RTLD_LAZY | RTLD_LOCAL);
    if (!handle) {
        const char *reason = dlerror();
        snprintf(problem, sizeof problem, "%s", reason ? reason : "libcrypto cannot be loaded");
        return problem;
    }
    if (!find(handle, "OPENSSL_init_crypto", &library.init_crypto) ||
        !find(handle, "OSSL_LIB_CTX_new", &library.library_new) || !find(handle, "EVP_MD_fetch", &library.fetch) ||
        !find(handle, "EVP_MD_CTX_new", &library.context_new) ||
        !find(handle, "EVP_MD_CTX_free", &library.context_free) ||
        !find(handle, "EVP_MD_CTX_copy_ex", &library.copy) || !find(handle, "EVP_DigestInit_ex2", &library.init) ||
        !find(handle, "EVP_DigestUpdate", &library.update) || !find(handle, "EVP_DigestFinal_ex", &library.final))
        return problem;
    // It would clean up in exit(3), while threads may still be hashing.
    library.init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
    // A context of our own reads no configuration, while TLS still follows the machine's openssl.cnf.
    OSSL_LIB_CTX *context = library.library_new();
    if (context) sha256 = library.fetch(context, "SHA256", NULL);
    return sha256 ? NULL : "libcrypto has no SHA-256";
}

// A hash is one of libcrypto's contexts; this one only has another name.
static EVP_MD_CTX *context(ccrypto_hash *hash) { return (EVP_MD_CTX *)hash; }

ccrypto_hash *ccrypto_hash_new(void) {
    EVP_MD_CTX *made = library.context_new();
    if (made && library.init(made, sha256, NULL) == 1) return (ccrypto_hash *)made;
    library.context_free(made);
    return NULL;
}

ccrypto_hash *ccrypto_hash_copy(const ccrypto_hash *other) {
    EVP_MD_CTX *made = library.context_new();
    if (made && library.copy(made, (const EVP_MD_CTX *)other) == 1) return (ccrypto_hash *)made;
    library.context_free(made);
    return NULL;
}

void ccrypto_hash_free(ccrypto_hash *hash) { library.context_free(context(hash)); }

int ccrypto_hash_update(ccrypto_hash *hash, const void *bytes, size_t count) {
    return library.update(context(hash), bytes, count) == 1;
}

int ccrypto_hash_finish(ccrypto_hash *hash, unsigned char *digest) {
    return library.final(context(hash), digest, NULL) == 1;
}

void ccrypto_give_up(const char *reason) {
    char line[400];
    int length = snprintf(line, sizeof line, "strata: nothing can be hashed: %s\n", reason);
    if (length > 0 && write(2, line, length < (int)sizeof line ? (size_t)length : sizeof line - 1) < 0) _exit(1);
    _exit(1);
}
