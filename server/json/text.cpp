#include "json/text.h"

#include <cstdint>

#include "base/utf8.h"

namespace ocp_mock {
namespace {

constexpr std::string_view kHexDigits = "0123456789ABCDEF";

void append_unicode_escape(std::string& out, std::uint32_t unit) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHexDigits[(unit >> shift) & 0xF];
}

std::uint32_t code_point(std::string_view bytes) {
  static constexpr std::uint32_t kLeadMask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  std::uint32_t value = static_cast<unsigned char>(bytes[0]) & kLeadMask[bytes.size()];
  for (const char c : bytes.substr(1)) value = value << 6 | (static_cast<unsigned char>(c) & 0x3F);
  return value;
}

// The escape letter of a character that JSON must or Jackson does escape in short form; 0 for all others.
char short_escape(unsigned char c) {
  switch (c) {
    case '"': return '"';
    case '\\': return '\\';
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    default: return 0;
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view utf8) {
  out += '"';
  std::size_t plain = 0;  // where the run of bytes starts that go out as they are
  std::size_t i = 0;
  const auto flush = [&] { out.append(utf8, plain, i - plain); };
  while (i < utf8.size()) {
    const auto c = static_cast<unsigned char>(utf8[i]);
    if (c < 0x80) {
      if (const char letter = short_escape(c); letter != 0) {
        flush();
        out += '\\';
        out += letter;
        plain = i + 1;
      } else if (c < 0x20) {
        flush();
        append_unicode_escape(out, c);
        plain = i + 1;
      }
      ++i;
      continue;
    }
    const std::size_t length = utf8_length(utf8.substr(i));
    if (length == 0) {
      flush();
      out += "\xEF\xBF\xBD";
      plain = ++i;
    } else if (length == 4) {
      flush();
      const std::uint32_t beyond = code_point(utf8.substr(i, 4)) - 0x10000;
      append_unicode_escape(out, 0xD800 + (beyond >> 10));
      append_unicode_escape(out, 0xDC00 + (beyond & 0x3FF));
      plain = i += 4;
    } else {
      i += length;
    }
  }
  flush();
  out += '"';
}

std::string json_string(std::string_view utf8) {
  std::string out;
  append_json_string(out, utf8);
  return out;
}

std::string pretty_json(std::string_view compact) {
  std::string out;
  out.reserve(compact.size() * 2);
  std::size_t level = 0;
  const auto new_line = [&] {
    out += '\n';
    out.append(level * 2, ' ');
  };
  for (std::size_t i = 0; i < compact.size(); ++i) {
    const char c = compact[i];
    switch (c) {
      case '{':
      case '[':
        out += c;
        if (i + 1 < compact.size() && (compact[i + 1] == '}' || compact[i + 1] == ']')) {
          out += compact[++i];
        } else {
          ++level;
          new_line();
        }
        break;
      case '}':
      case ']':
        --level;
        new_line();
        out += c;
        break;
      case ',':
        out += c;
        new_line();
        break;
      case ':': out += ": "; break;
      case '"': {
        std::size_t end = i + 1;
        while (end < compact.size() && compact[end] != '"') end += compact[end] == '\\' ? 2 : 1;
        out.append(compact, i, end - i + 1);
        i = end;
        break;
      }
      default: out += c;
    }
  }
  return out;
}

}  // namespace ocp_mock
