// A certificate that is made at start, so that clients of HTTPS can be tested without preparing one.
// Enters: the names of the server. Leaves: PEM texts.
#pragma once

#include <string>

namespace ocp_mock::http {

struct MadeCertificate {
  std::string certificate;  // of the server, for localhost, 127.0.0.1, ::1 and the host
  std::string key;          // of the certificate
  std::string ca;           // that signed it, which clients must trust. Its key is not kept
};

// Valid from a day ago, for clocks that differ, for a year. A host that stands for any address adds no name.
// Throws std::runtime_error.
MadeCertificate make_certificate(const std::string& host);

}  // namespace ocp_mock::http
