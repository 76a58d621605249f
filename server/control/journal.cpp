#include "control/journal.h"

#include <algorithm>
#include <string_view>

#include "base/ascii.h"

namespace ocp_mock {

RequestView view_of(const JournalEntry& entry) {
  return {entry.method, entry.path, entry.query, entry.headers, entry.user, entry.status, entry.cut};
}

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
  std::vector<std::weak_ptr<http::Pending>> woken;
  {
    const std::lock_guard lock(mutex_);
    if (ticket.epoch != epoch_) return;
    --in_flight_;
    entry.sequence = ++last_;
    if (size_ != 0 || waits_ != 0) {
      const auto kept = std::make_shared<const JournalEntry>(std::move(entry));
      if (waits_ != 0) wake_waits(kept, woken);
      ring_.push_back(kept);
    }
    if (ring_.size() > size_) ring_.pop_front();
  }
  for (const auto& one : woken) {
    if (const auto pending = one.lock()) pending->make_ready();
  }
}

void Journal::wake_waits(const std::shared_ptr<const JournalEntry>& entry,
                         std::vector<std::weak_ptr<http::Pending>>& woken) {
  const std::string path = decoded_path(entry->path);
  const RequestView view = view_of(*entry);
  std::vector<Wait*> found;
  for (const auto& [length, by_beginning] : waiting_) {
    if (length > path.size()) break;
    const auto filters = by_beginning.find(std::string_view(path).substr(0, length));
    if (filters == by_beginning.end()) continue;
    for (const auto& [text, waits] : filters->second) {
      if ((*waits.begin())->matcher_->matches(view)) found.insert(found.end(), waits.begin(), waits.end());
    }
  }
  for (Wait* wait : found) {
    if (entry->sequence <= wait->after_) continue;
    wait->entry_ = entry;
    woken.push_back(wait->pending_);
    leave(*wait);
  }
}

std::unique_ptr<Journal::Wait> Journal::wait(std::shared_ptr<const Matcher> matcher, std::int64_t after,
                                             const std::shared_ptr<http::Pending>& pending) {
  const std::string& beginning = matcher->path_beginning();
  const std::string& text = matcher->text();
  auto wait = std::make_unique<Wait>(*this, matcher, after, pending);
  {
    const std::lock_guard lock(mutex_);
    if (waits_ >= kMostWaits) return nullptr;
    waiting_[beginning.size()][beginning][text].insert(wait.get());
    wait->waits_ = true;
    ++waits_;
    if (!closed_) return wait;
  }
  pending->make_ready();
  return wait;
}

Journal::Wait::Wait(Journal& journal, std::shared_ptr<const Matcher> matcher, std::int64_t after,
                    std::weak_ptr<http::Pending> pending)
    : journal_(journal), matcher_(std::move(matcher)), after_(after), pending_(std::move(pending)) {}

Journal::Wait::~Wait() {
  const std::lock_guard lock(journal_.mutex_);
  if (waits_) journal_.leave(*this);
}

std::shared_ptr<const JournalEntry> Journal::Wait::entry() const {
  const std::lock_guard lock(journal_.mutex_);
  return entry_;
}

// Needs the lock.
void Journal::leave(Wait& wait) {
  const auto of_length = waiting_.find(wait.matcher_->path_beginning().size());
  const auto filters = of_length->second.find(wait.matcher_->path_beginning());
  const auto waits = filters->second.find(wait.matcher_->text());
  waits->second.erase(&wait);
  if (waits->second.empty()) filters->second.erase(waits);
  if (filters->second.empty()) of_length->second.erase(filters);
  if (of_length->second.empty()) waiting_.erase(of_length);
  wait.waits_ = false;
  --waits_;
}

std::size_t Journal::waits() const {
  const std::lock_guard lock(mutex_);
  return waits_;
}

void Journal::close() {
  std::vector<std::weak_ptr<http::Pending>> woken;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    for (const auto& [length, by_beginning] : waiting_) {
      for (const auto& [beginning, filters] : by_beginning) {
        for (const auto& [text, waits] : filters) {
          for (const Wait* wait : waits) woken.push_back(wait->pending_);
        }
      }
    }
  }
  for (const auto& one : woken) {
    if (const auto pending = one.lock()) pending->make_ready();
  }
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
