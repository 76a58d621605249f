// The texts of a catalogue's steps and templates, each read once: reading them took a sixth of a write.
// Input: a text. Output: its value.
#pragma once

#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "json/reader.h"

namespace ocp_mock {

// Thread safety: may be used by several threads at once.
class ParsedTexts {
 public:
  // Requires: a text of a catalogue, which never changes. It is known again by its address. The value lives as long as
  // this.
  const JsonValue& of(std::string_view text) {
    const std::lock_guard lock(mutex_);
    std::unique_ptr<const JsonValue>& value = values_[text.data()];
    if (!value) value = std::make_unique<const JsonValue>(read_json_text(text));
    return *value;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<const char*, std::unique_ptr<const JsonValue>> values_;
};

}  // namespace ocp_mock
