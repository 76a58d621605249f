// Where a free text tells a secret: password=X, "token": "X", --password X, passwd 'X', Authorization: Basic X, Bearer
// X, Cookie: X, <pin>X</pin>, IDENTIFIED BY 'X', a private key in PEM. Input: a text. Output: the places of the values;
// their names, quotes and schemes are none of them.
#pragma once

#include <cstddef>
#include <string_view>

#include "client/stand_in.h"

namespace ocp_mock {

// The next one behind a place. A value in quotes ends with them, that of Authorization and Cookie with its line, any
// other with a blank, quote, closing bracket, tag or one of `,;&`.
Piece find_secret(std::string_view text, std::size_t from);

}  // namespace ocp_mock
