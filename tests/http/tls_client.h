// A client of a test that speaks TLS, and trusts one CA.
#pragma once

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "http/socket_client.h"

namespace ocp_mock::test {

struct TlsClientOptions {
  std::string ca = {};             // PEM; empty: no certificate is trusted
  std::string name = "localhost";  // that the certificate must have, a host or an IP address
  int highest_version = TLS1_3_VERSION;
  std::string protocols = {};  // offered by ALPN, each after its length
};

class TlsClient : public SocketClient {
 public:
  // Throws std::runtime_error with OpenSSL's reason if the handshake fails.
  TlsClient(int port, const TlsClientOptions& options)
      : SocketClient(port), context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free), session_(nullptr, &SSL_free) {
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_.get(), options.highest_version);
    // Debian's level refuses TLS 1.1 by itself; it is the server that must.
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    if (!options.ca.empty()) {
      const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(options.ca.data(), -1), &BIO_free);
      const std::unique_ptr<X509, decltype(&X509_free)> ca(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
                                                           &X509_free);
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), ca.get());
    }
    session_.reset(SSL_new(context_.get()));
    X509_VERIFY_PARAM* rules = SSL_get0_param(session_.get());
    X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_X509_STRICT);
    if (X509_VERIFY_PARAM_set1_ip_asc(rules, options.name.c_str()) != 1) {
      X509_VERIFY_PARAM_set1_host(rules, options.name.c_str(), 0);
    }
    if (!options.protocols.empty()) {
      SSL_set_alpn_protos(session_.get(), reinterpret_cast<const unsigned char*>(options.protocols.data()),
                          static_cast<unsigned>(options.protocols.size()));
    }
    SSL_set_fd(session_.get(), descriptor());
    ERR_clear_error();
    if (SSL_connect(session_.get()) != 1) {
      const char* reason = ERR_reason_error_string(ERR_peek_error());
      throw std::runtime_error(reason != nullptr ? reason : "no TLS");
    }
  }

  std::string version() const { return SSL_get_version(session_.get()); }

  // What ALPN chose; empty for nothing.
  std::string protocol() const {
    const unsigned char* text = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(session_.get(), &text, &size);
    return {text, text + size};
  }

  // Sends a record of TLS 1.3 that carries no data; false once the connection is gone.
  bool update_key() {
    return SSL_key_update(session_.get(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1 && SSL_do_handshake(session_.get()) == 1;
  }

  // Ends what it sends as TLS does, and reads on.
  void end_sending() {
    SSL_shutdown(session_.get());
    shut_sending();
  }

  // The server has said that it ends, rather than just hung up.
  bool ended_properly() const { return (SSL_get_shutdown(session_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

 protected:
  ssize_t send_some(const char* bytes, std::size_t size) override {
    const int count = SSL_write(session_.get(), bytes, static_cast<int>(size));
    return count > 0 ? count : -1;
  }
  ssize_t receive_some(char* bytes, std::size_t size) override {
    const int count = SSL_read(session_.get(), bytes, static_cast<int>(size));
    if (count > 0) return count;
    return SSL_get_error(session_.get(), count) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
  }

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> session_;
};

}  // namespace ocp_mock::test
