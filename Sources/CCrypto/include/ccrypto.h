// SHA-256 by OpenSSL's libcrypto, which is loaded at the first use: commands that hash nothing do not wait for it.
#pragma once

#include <stddef.h>

/// Loads libcrypto and makes it ready. Returns NULL, or why that cannot be. To be called once, before anything else here
/// and before anybody else uses libcrypto.
const char *ccrypto_load(void);

typedef struct ccrypto_hash ccrypto_hash;

enum { ccrypto_hash_size = 32 };

/// A hash that has seen nothing; NULL without memory.
ccrypto_hash *ccrypto_hash_new(void);
/// A hash that has seen what another has; NULL without memory.
ccrypto_hash *ccrypto_hash_copy(const ccrypto_hash *other);
void ccrypto_hash_free(ccrypto_hash *hash);
/// Returns whether that could be done.
int ccrypto_hash_update(ccrypto_hash *hash, const void *bytes, size_t count);
/// Puts the digest into `digest`, ccrypto_hash_size bytes; nothing can be added afterwards. Returns whether that could be
/// done.
int ccrypto_hash_finish(ccrypto_hash *hash, unsigned char *digest);

/// Ends the process with one line, as Swift's own allocations do when there is no memory left: what cannot be hashed
/// cannot be named, and a wrong name must never get out.
__attribute__((noreturn)) void ccrypto_give_up(const char *reason);
