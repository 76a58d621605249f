// Spares each start OpenSSL's texts of errors, 1.1 million instructions and 0.6 MB: cpp-httplib's library asks for all
// of them when it is loaded, before main() runs. Those of TLS stay; http/stream.cpp logs them.
#include <openssl/crypto.h>

namespace {

// OpenSSL takes the first word on whether to load them. Libraries' initialisers run after this one.
void leave_out_texts(int, char**, char**) { OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS, nullptr); }

[[gnu::section(".preinit_array"), gnu::used]] void (*const kFirst)(int, char**, char**) = leave_out_texts;

}  // namespace
