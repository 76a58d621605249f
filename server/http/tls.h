// What TLS connections share: a certificate, its key, and the rules. TLS 1.2 and later, by OpenSSL.
// Input: PEM texts. Output: a context of OpenSSL. Thread safety: any thread, once it is made.
#pragma once

#include <memory>
#include <string>

struct ssl_ctx_st;

namespace ocp_mock::http {

class TlsContext {
 public:
  // PEM texts: the server's certificate, then those of its chain; its key, without passphrase. Throws
  // std::runtime_error with what is wrong with "the certificate" or "the key".
  TlsContext(const std::string& certificate, const std::string& key);

  ssl_ctx_st* get() const { return context_.get(); }

  // Gives another library's context the certificate, its chain, the key and the versions of TLS. False if OpenSSL
  // refuses.
  bool copy_to(ssl_ctx_st& other) const;

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };

  std::unique_ptr<ssl_ctx_st, Free> context_;
};

}  // namespace ocp_mock::http
