#include "http/certificate.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace ocp_mock::http {
namespace {

constexpr long kDay = 24 * 60 * 60;

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Extension = std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)>;

void require(bool done) {
  if (!done) throw std::runtime_error("OpenSSL cannot make a certificate");
}

struct Signer {
  X509* certificate;
  EVP_PKEY* key;
};

// A certificate with the extensions; signed by itself without a signer.
Certificate make(const std::string& name, EVP_PKEY* key, const Signer* signer,
                 const std::vector<std::pair<int, std::string>>& extensions) {
  Certificate certificate(X509_new(), &X509_free);
  require(certificate != nullptr);
  X509* raw = certificate.get();
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> serial(BN_new(), &BN_free);
  // Never the serial of an earlier run's certificate: clients may remember those.
  require(serial && BN_rand(serial.get(), 159, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
          BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(raw)) != nullptr);
  require(X509_set_version(raw, X509_VERSION_3) == 1 && X509_set_pubkey(raw, key) == 1 &&
          X509_gmtime_adj(X509_getm_notBefore(raw), -kDay) != nullptr &&
          X509_gmtime_adj(X509_getm_notAfter(raw), 365 * kDay) != nullptr);
  require(X509_NAME_add_entry_by_txt(X509_get_subject_name(raw), "CN", MBSTRING_UTF8,
                                     reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0) == 1);
  X509* issuer = signer != nullptr ? signer->certificate : raw;
  require(X509_set_issuer_name(raw, X509_get_subject_name(issuer)) == 1);
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, raw, nullptr, nullptr, 0);
  for (const auto& [id, value] : extensions) {
    const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()), &X509_EXTENSION_free);
    require(extension && X509_add_ext(raw, extension.get(), -1) == 1);
  }
  require(X509_sign(raw, signer != nullptr ? signer->key : key, EVP_sha256()) != 0);
  return certificate;
}

Key make_key() {
  Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  require(key != nullptr);
  return key;
}

template <typename Write>
std::string pem(const Write& write) {
  const Bio bio(BIO_new(BIO_s_mem()), &BIO_free);
  require(bio && write(bio.get()) == 1);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  return pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

std::string alternative_names(const std::string& host) {
  std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1";
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const std::string name = bracketed ? host.substr(1, host.size() - 2) : host;
  std::array<unsigned char, sizeof(in6_addr)> address;
  const bool is_address = ::inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
                          ::inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
  const bool says_nothing =
      name.empty() || name == "0.0.0.0" || name == "::" || name == "localhost" || name == "127.0.0.1" || name == "::1";
  // A comma would begin another name.
  if (!says_nothing && name.find_first_of(", ") == std::string::npos) {
    names += fmt::format(",{}:{}", is_address ? "IP" : "DNS", name);
  }
  return names;
}

}  // namespace

MadeCertificate make_certificate(const std::string& host) {
  const Key ca_key = make_key();
  const Certificate ca = make("ocp-mock-server CA", ca_key.get(), nullptr,
                              {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                               {NID_key_usage, "critical,keyCertSign,cRLSign"},
                               {NID_subject_key_identifier, "hash"}});
  const Key key = make_key();
  const Signer signer{ca.get(), ca_key.get()};
  const Certificate certificate = make("localhost", key.get(), &signer,
                                       {{NID_basic_constraints, "critical,CA:FALSE"},
                                        {NID_key_usage, "critical,digitalSignature"},
                                        {NID_ext_key_usage, "serverAuth"},
                                        {NID_subject_key_identifier, "hash"},
                                        {NID_authority_key_identifier, "keyid"},
                                        {NID_subject_alt_name, alternative_names(host)}});
  return {pem_of(certificate.get()), pem([&](BIO* bio) {
            return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          }),
          pem_of(ca.get())};
}

}  // namespace ocp_mock::http
