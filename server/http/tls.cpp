#include "http/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <stdexcept>
#include <string_view>

namespace ocp_mock::http {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Bio reader_of(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
}

// OpenSSL would otherwise ask for a passphrase on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

// Clients that offer HTTP/2 too learn that they must speak HTTP/1.1.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* found = nullptr;
  const int result = SSL_select_next_proto(&found, chosen_size, kHttp11, sizeof kHttp11 - 1, offered, offered_size);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

TlsContext::TlsContext(const std::string& certificate, const std::string& key)
    : context_(SSL_CTX_new(TLS_server_method())) {
  SSL_CTX* context = context_.get();
  if (context == nullptr || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
    throw std::runtime_error("OpenSSL cannot serve TLS");
  }
  // A connection that only waits keeps no buffers. A client that just closes its side has ended what it sends.
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // Else one read takes records without data, such as key updates, for as long as they come, and holds its thread.
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);

  ERR_clear_error();
  const Bio certificates = reader_of(certificate);
  const Certificate first(PEM_read_bio_X509_AUX(certificates.get(), nullptr, no_passphrase, nullptr), &X509_free);
  if (!first) throw std::runtime_error("the certificate's file holds no certificate in PEM form");
  if (SSL_CTX_use_certificate(context, first.get()) != 1) {
    throw std::runtime_error("the certificate is refused by OpenSSL, perhaps because its key is too short");
  }
  while (X509* next = PEM_read_bio_X509(certificates.get(), nullptr, no_passphrase, nullptr)) {
    if (SSL_CTX_add0_chain_cert(context, next) != 1) {
      X509_free(next);
      throw std::runtime_error("the certificate's chain is refused by OpenSSL");
    }
  }
  // The end of the text is an error to OpenSSL, too.
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
    throw std::runtime_error("the certificate's chain holds something that is no certificate in PEM form");
  }
  ERR_clear_error();

  const Bio keys = reader_of(key);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> private_key(
      PEM_read_bio_PrivateKey(keys.get(), nullptr, no_passphrase, nullptr), &EVP_PKEY_free);
  if (!private_key) {
    const bool encrypted = key.find("ENCRYPTED") != std::string::npos;
    throw std::runtime_error(encrypted ? "the key is encrypted; it must have no passphrase"
                                       : "the key's file holds no key in PEM form");
  }
  if (X509_check_private_key(first.get(), private_key.get()) != 1) {
    throw std::runtime_error("the key is not that of the certificate");
  }
  if (SSL_CTX_use_PrivateKey(context, private_key.get()) != 1) {
    throw std::runtime_error("the key is refused by OpenSSL");
  }
}

bool TlsContext::copy_to(ssl_ctx_st& other) const {
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context_.get(), &chain);
  return SSL_CTX_set_min_proto_version(&other, TLS1_2_VERSION) == 1 &&
         SSL_CTX_use_certificate(&other, SSL_CTX_get0_certificate(context_.get())) == 1 &&
         SSL_CTX_set1_chain(&other, chain) == 1 &&
         SSL_CTX_use_PrivateKey(&other, SSL_CTX_get0_privatekey(context_.get())) == 1;
}

}  // namespace ocp_mock::http
