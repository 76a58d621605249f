#include "http/certificate.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
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

// An address as inet_pton() reads it.
std::string without_brackets(std::string_view host) {
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return std::string(bracketed ? host.substr(1, host.size() - 2) : host);
}

bool is_address(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> address;
  return ::inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
}

bool is_dns_name(std::string_view name) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  constexpr std::size_t kLongestName = 253;
  constexpr std::size_t kLongestLabel = 63;
  if (name.size() > kLongestName) return false;
  if (name.starts_with("*.")) {
    name.remove_prefix(2);
    // OpenSSL, and with it curl and Python, takes no *.test.
    if (name.find('.') == std::string_view::npos) return false;
  }
  std::string_view label;
  for (bool more = true; more;) {
    const auto end = name.find('.');
    label = name.substr(0, end);
    if (label.empty() || label.size() > kLongestLabel || label.front() == '-' || label.back() == '-' ||
        label.find_first_not_of(kLetters) != std::string_view::npos) {
      return false;
    }
    more = end != std::string_view::npos;
    if (more) name.remove_prefix(end + 1);
  }
  // 256.1.1.1 is meant as an address.
  return label.find_first_not_of("0123456789") != std::string_view::npos;
}

std::string alternative_names(const std::string& host, const std::vector<std::string>& names) {
  std::vector<std::string> all{"localhost", "127.0.0.1", "::1"};
  const auto add = [&](const std::string& text) {
    std::string name = without_brackets(text);
    if (std::ranges::find(all, name) == all.end()) all.push_back(std::move(name));
  };
  if (is_certificate_name(host) && host != "0.0.0.0" && without_brackets(host) != "::") add(host);
  for (const std::string& name : names) add(name);
  std::string text;
  for (const std::string& name : all) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", is_address(name) ? "IP" : "DNS", name);
  }
  return text;
}

}  // namespace

bool is_certificate_name(std::string_view name) { return is_address(without_brackets(name)) || is_dns_name(name); }

MadeCertificate make_certificate(const std::string& host, const std::vector<std::string>& names) {
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
                                        {NID_subject_alt_name, alternative_names(host, names)}});
  return {pem_of(certificate.get()), pem([&](BIO* bio) {
            return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          }),
          pem_of(ca.get())};
}

}  // namespace ocp_mock::http
