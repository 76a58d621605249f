#include "base/packed_text.h"

#include <zlib.h>

#include <stdexcept>

namespace ocp_mock {

std::string unpack(const PackedText& packed) {
  constexpr int kGzip = 16 + MAX_WBITS;
  std::string text(packed.size, '\0');
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.gzip.data()));
  stream.avail_in = static_cast<uInt>(packed.gzip.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  if (inflateInit2(&stream, kGzip) != Z_OK) throw std::runtime_error("zlib cannot begin");
  const int result = inflate(&stream, Z_FINISH);
  const bool is_whole = result == Z_STREAM_END && stream.avail_in == 0 && stream.avail_out == 0;
  inflateEnd(&stream);
  if (!is_whole) throw std::runtime_error("a compressed text of the program is damaged");
  return text;
}

}  // namespace ocp_mock
