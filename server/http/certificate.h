// A certificate that is made at start, so that clients of HTTPS can be tested without preparing one.
// Input: the names of the server. Output: PEM texts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ocp_mock::http {

struct MadeCertificate {
  std::string certificate;  // of the server, for localhost, 127.0.0.1, ::1, the host and the names
  std::string key;          // of the certificate
  std::string ca;           // that signed it, which clients must trust. Its key is not kept
};

// Whether a certificate can be for it: a DNS name in ASCII; one of three labels or more, of which the first is * for
// any one label; or an IP address, which may stand in brackets.
bool is_certificate_name(std::string_view name);

// Valid from a day ago, for clocks that differ, for a year. A host that stands for any address adds no name, nor does
// one that is no is_certificate_name(). Each of the names is one. Throws std::runtime_error.
MadeCertificate make_certificate(const std::string& host, const std::vector<std::string>& names = {});

}  // namespace ocp_mock::http
