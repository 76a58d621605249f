#include "control/journal.h"

#include <algorithm>
#include <string_view>

#include "ascii.h"

namespace ocp_mock {

bool is_secret_header(std::string_view name) {
  const auto begins = [](std::string_view text, std::string_view word) {
    return text.size() >= word.size() && to_lower_ascii(text[1]) == word[1] &&
           equals_ignoring_case(text.substr(0, word.size()), word);
  };
  for (std::string_view rest = name; !rest.empty(); rest.remove_prefix(1)) {
    bool found = false;
    switch (to_lower_ascii(rest.front())) {
      case 'a': found = begins(rest, "auth"); break;
      case 'c': found = begins(rest, "cookie"); break;
      case 'k': found = begins(rest, "key"); break;
      case 'p': found = begins(rest, "password") || begins(rest, "passwd"); break;
      case 's': found = begins(rest, "secret"); break;
      case 't': found = begins(rest, "token"); break;
      default: break;
    }
    if (found) return true;
  }
  return false;
}

Journal::Ticket Journal::begin() {
  const std::lock_guard lock(mutex_);
  ++in_flight_;
  return {epoch_};
}

void Journal::record(Ticket ticket, JournalEntry entry) {
  std::vector<std::weak_ptr<http::Pending>> waiting;
  {
    const std::lock_guard lock(mutex_);
    if (ticket.epoch != epoch_) return;
    --in_flight_;
    entry.sequence = ++last_;
    if (size_ != 0) ring_.push_back(std::make_shared<const JournalEntry>(std::move(entry)));
    if (ring_.size() > size_) ring_.pop_front();
    waiting.swap(waiting_);
  }
  for (const auto& one : waiting) {
    if (const auto pending = one.lock()) pending->make_ready();
  }
}

void Journal::wake_after(std::int64_t sequence, const std::shared_ptr<http::Pending>& pending) {
  {
    const std::lock_guard lock(mutex_);
    if (last_ <= sequence) {
      std::erase_if(waiting_, [](const auto& one) { return one.expired(); });
      waiting_.push_back(pending);
      return;
    }
  }
  pending->make_ready();
}

Journal::View Journal::view(std::int64_t after) const {
  const std::lock_guard lock(mutex_);
  const auto first = std::ranges::upper_bound(ring_, after, {}, [](const auto& entry) { return entry->sequence; });
  const auto kept = static_cast<std::int64_t>(ring_.size());
  return {{first, ring_.end()}, last_ - cleared_ - kept, in_flight_, last_};
}

std::int64_t Journal::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

void Journal::clear() {
  const std::lock_guard lock(mutex_);
  ring_.clear();
  cleared_ = last_;
  in_flight_ = 0;
  ++epoch_;
}

}  // namespace ocp_mock
