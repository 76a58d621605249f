#include "http/certificate.h"

#include <doctest/doctest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>
#include <stdexcept>
#include <string>

#include "http/tls.h"

using namespace ocp_mock::http;

namespace {

std::string refusal_of(const std::string& certificate, const std::string& key) {
  try {
    const TlsContext context(certificate, key);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "none";
}

}  // namespace

TEST_CASE("tls: what a certificate can be for") {
  const std::string label(63, 'a');
  for (const std::string& name :
       {std::string("ocp"), std::string("ocp.test"), std::string("OCP-1.test"), std::string("_x.test"),
        std::string("1.test"), std::string("xn--mnchen-3ya.test"), std::string("*.ocp.test"), std::string("10.0.0.1"),
        std::string("::1"), std::string("[::1]"), label + "." + label}) {
    CAPTURE(name);
    CHECK(is_certificate_name(name));
  }
  for (const std::string& name : {std::string(""),
                                  std::string("."),
                                  std::string("ocp."),
                                  std::string(".ocp"),
                                  std::string("a..b"),
                                  std::string("-a"),
                                  std::string("a-.test"),
                                  std::string("*"),
                                  std::string("*.test"),
                                  std::string("a.*.test"),
                                  std::string("a*.ocp.test"),
                                  std::string("a b"),
                                  std::string("a,b"),
                                  std::string("a:80"),
                                  std::string("münchen"),
                                  std::string("256.1.1.1"),
                                  std::string("10.0.0"),
                                  std::string("1"),
                                  std::string("[ocp]"),
                                  std::string("fe80::1%0"),
                                  std::string("http://a"),
                                  label + "a",
                                  label + "." + label + "." + label + "." + label + "." + label}) {
    CAPTURE(name);
    CHECK_FALSE(is_certificate_name(name));
  }
}

TEST_CASE("tls: a certificate is for the names that it was asked for, too") {
  const MadeCertificate made = make_certificate("0.0.0.0", {"ocp.test", "*.tenants.test", "10.0.0.1", "[fd00::1]"});
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(made.certificate.data(), -1), &BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
                                                                &X509_free);
  REQUIRE(certificate != nullptr);
  const struct {
    const char* name;
    bool fits;
  } cases[] = {
      {"localhost", true}, {"127.0.0.1", true},         {"::1", true},
      {"ocp.test", true},  {"a.ocp.test", false},       {"a.tenants.test", true},
      {"10.0.0.1", true},  {"fd00::1", true},           {"10.0.0.2", false},
      {"0.0.0.0", false},  {"a.b.tenants.test", false}, {"tenants.test", false},
  };
  for (const auto& [name, fits] : cases) {
    CAPTURE(name);
    const bool address_fits = X509_check_ip_asc(certificate.get(), name, 0) == 1;
    CHECK((address_fits || X509_check_host(certificate.get(), name, 0, 0, nullptr) == 1) == fits);
  }
}

TEST_CASE("tls: a certificate is made for each kind of host") {
  for (const std::string host :
       {"0.0.0.0", "::", "[::1]", "10.1.2.3", "[fe80::1]", "localhost", "a,DNS:b", "a b", ""}) {
    CAPTURE(host);
    const MadeCertificate made = make_certificate(host);
    CHECK(refusal_of(made.certificate, made.key) == "none");
  }
  CHECK(make_certificate("h").ca != make_certificate("h").ca);
  const MadeCertificate made = make_certificate("h");
  const MadeCertificate other = make_certificate("h");
  const auto parse = [](const std::string& pem) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.data(), -1), &BIO_free);
    return std::unique_ptr<X509, decltype(&X509_free)>(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
                                                       &X509_free);
  };
  for (const std::string* pem : {&made.certificate, &made.ca}) {
    const auto certificate = parse(*pem);
    std::time_t yesterday = std::time(nullptr) - 23 * 60 * 60;
    CHECK(X509_cmp_time(X509_get0_notBefore(certificate.get()), &yesterday) < 0);
    CHECK(X509_cmp_time(X509_get0_notAfter(certificate.get()), nullptr) > 0);
  }
  CHECK(ASN1_INTEGER_cmp(X509_get0_serialNumber(parse(made.ca).get()), X509_get0_serialNumber(parse(other.ca).get())) !=
        0);
}

TEST_CASE("tls: what is wrong with a certificate and its key is said") {
  const MadeCertificate made = make_certificate("h");
  const MadeCertificate other = make_certificate("h");
  const std::string encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
  CHECK(refusal_of(made.certificate + made.ca, made.key) == "none");
  CHECK(refusal_of(made.certificate + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", made.key) ==
        "the certificate's chain holds something that is no certificate in PEM form");
  CHECK(refusal_of("", made.key) == "the certificate's file holds no certificate in PEM form");
  CHECK(refusal_of("nonsense", made.key) == "the certificate's file holds no certificate in PEM form");
  CHECK(refusal_of(made.key, made.key) == "the certificate's file holds no certificate in PEM form");
  CHECK(refusal_of(made.certificate, "") == "the key's file holds no key in PEM form");
  CHECK(refusal_of(made.certificate, made.certificate) == "the key's file holds no key in PEM form");
  CHECK(refusal_of(made.certificate, encrypted) == "the key is encrypted; it must have no passphrase");
  CHECK(refusal_of(made.certificate, other.key) == "the key is not that of the certificate");
}
