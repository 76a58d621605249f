// The file of --credentials.
// Input: a file such as
//   {"users":[{"name":"admin","password":"..."}],
//    "accessKeys":[{"accessKey":"...","secretKey":"...","user":"admin"}]}
// in which each list, and the user of an access key, may be left out. Output: its users and access keys.
#pragma once

#include <filesystem>

#include "ocp/auth.h"

namespace ocp_mock {

// Adds what the file holds. Throws std::runtime_error that names the place of what is wrong and shows no secret; the
// credentials may hold a part of the file then.
void add_credentials_of_file(Credentials& credentials, const std::filesystem::path& file);

}  // namespace ocp_mock
