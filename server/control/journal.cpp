#include "control/journal.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "ocp/path_tree.h"

namespace ocp_mock {

RequestView view_of(const JournalEntry& entry) {
  return {entry.method, entry.path, entry.query,       entry.headers,          entry.user,
          entry.status, entry.cut,  entry.client_left, RequestBody(entry.body)};
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

// Waits by what they wait for: a tree of the segments of their paths, then method, status and the rest.
class Journal::WaitIndex {
 public:
  void add(Wait& wait) {
    for (const PathTemplate& path : wait.matcher_->path().templates()) {
      tree_.update(path,
                   [&](ByKind& kinds) { kinds[kind_of(wait)][wait.matcher_->others()][wait.after_].insert(&wait); });
    }
    ++size_;
  }

  void remove(Wait& wait) {
    for (const PathTemplate& path : wait.matcher_->path().templates()) {
      tree_.update(path, [&](ByKind& kinds) { remove_from(kinds, wait); });
    }
    --size_;
  }

  std::size_t size() const { return size_; }

  // Calls visit with each wait that the entry ends. It may remove none.
  template <typename Visit>
  void find(const JournalEntry& entry, const Visit& visit) const {
    const Asked asked{view_of(entry), entry.sequence};
    tree_.find(entry.path, [&](const ByKind& kinds) {
      find_in(kinds, asked, visit);
      return false;
    });
  }

  template <typename Visit>
  void each(const Visit& visit) const {
    tree_.each([&](const ByKind& kinds) {
      for (const auto& [kind, others] : kinds) {
        for (const auto& [text, group] : others) {
          for (const auto& [after, waits] : group) {
            for (Wait* wait : waits) visit(*wait);
          }
        }
      }
    });
  }

 private:
  // By the sequence after which they wait, so that those who wait for later ones cost nothing.
  using ByAfter = std::map<std::int64_t, std::set<Wait*>>;
  // By the other criteria: each is tested once for all who have it.
  using ByOthers = std::map<std::string, ByAfter>;
  using Kind = std::pair<std::optional<std::string>, std::optional<int>>;  // method and status
  using ByKind = std::map<Kind, ByOthers>;

  struct Asked {
    RequestView view;
    std::int64_t sequence;
  };

  static Kind kind_of(const Wait& wait) { return {wait.matcher_->method(), wait.matcher_->status()}; }

  static void remove_from(ByKind& kinds, Wait& wait) {
    const auto others = kinds.find(kind_of(wait));
    const auto group = others->second.find(wait.matcher_->others());
    const auto waits = group->second.find(wait.after_);
    waits->second.erase(&wait);
    if (waits->second.empty()) group->second.erase(waits);
    if (group->second.empty()) others->second.erase(group);
    if (others->second.empty()) kinds.erase(others);
  }

  template <typename Visit>
  static void find_in(const ByKind& kinds, const Asked& asked, const Visit& visit) {
    if (kinds.empty()) return;
    for (const bool with_method : {false, true}) {
      for (const bool with_status : {false, true}) {
        const Kind kind{with_method ? std::optional(std::string(asked.view.method)) : std::nullopt,
                        with_status ? asked.view.status : std::nullopt};
        const auto others = kinds.find(kind);
        if (others == kinds.end()) continue;
        for (const auto& [text, group] : others->second) find_in_group(group, asked, visit);
      }
    }
  }

  template <typename Visit>
  static void find_in_group(const ByAfter& group, const Asked& asked, const Visit& visit) {
    const auto end = group.lower_bound(asked.sequence);
    if (end == group.begin()) return;
    const Wait& one = **group.begin()->second.begin();
    if (!one.matcher_->matches(asked.view)) return;
    for (auto waits = group.begin(); waits != end; ++waits) {
      for (Wait* wait : waits->second) visit(*wait);
    }
  }

  PathTree<ByKind> tree_;
  std::size_t size_ = 0;
};

Journal::Journal(std::size_t size) : size_(size), index_(std::make_unique<WaitIndex>()) {}
Journal::~Journal() = default;

Journal::Ticket Journal::begin() {
  const std::lock_guard lock(mutex_);
  ++in_flight_;
  return {epoch_};
}

void Journal::record(Ticket ticket, JournalEntry entry) {
  std::vector<std::weak_ptr<http::DeferredResponse>> woken;
  {
    const std::lock_guard lock(mutex_);
    if (ticket.epoch != epoch_) return;
    --in_flight_;
    entry.sequence = ++last_;
    if (size_ != 0 || index_->size() != 0) {
      const auto kept = std::make_shared<const JournalEntry>(std::move(entry));
      if (index_->size() != 0) wake_waits(kept, woken);
      ring_.push_back(kept);
      body_bytes_ += kept->body.size();
    }
    if (ring_.size() > size_) {
      body_bytes_ -= ring_.front()->body.size();
      ring_.pop_front();
    }
  }
  for (const auto& one : woken) {
    if (const auto pending = one.lock()) pending->complete();
  }
}

void Journal::wake_waits(const std::shared_ptr<const JournalEntry>& entry,
                         std::vector<std::weak_ptr<http::DeferredResponse>>& woken) {
  std::vector<Wait*> found;
  index_->find(*entry, [&](Wait& wait) { found.push_back(&wait); });
  for (Wait* wait : found) {
    if (!wait->waits_) continue;  // its path fits two templates
    wait->entry_ = entry;
    woken.push_back(wait->pending_);
    leave(*wait);
  }
}

std::unique_ptr<Journal::Wait> Journal::wait(std::shared_ptr<const Matcher> matcher, std::int64_t after,
                                             const std::shared_ptr<http::DeferredResponse>& pending) {
  auto wait = std::make_unique<Wait>(*this, std::move(matcher), after, pending);
  {
    const std::lock_guard lock(mutex_);
    if (index_->size() >= kMostWaits) return nullptr;
    index_->add(*wait);
    wait->waits_ = true;
    if (!closed_) return wait;
  }
  pending->complete();
  return wait;
}

Journal::Wait::Wait(Journal& journal, std::shared_ptr<const Matcher> matcher, std::int64_t after,
                    std::weak_ptr<http::DeferredResponse> pending)
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
  index_->remove(wait);
  wait.waits_ = false;
}

std::size_t Journal::waits() const {
  const std::lock_guard lock(mutex_);
  return index_->size();
}

void Journal::close() {
  std::vector<std::weak_ptr<http::DeferredResponse>> woken;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    index_->each([&](const Wait& wait) { woken.push_back(wait.pending_); });
  }
  for (const auto& one : woken) {
    if (const auto pending = one.lock()) pending->complete();
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

std::size_t Journal::body_bytes() const {
  const std::lock_guard lock(mutex_);
  return body_bytes_;
}

void Journal::clear() {
  const std::lock_guard lock(mutex_);
  ring_.clear();
  body_bytes_ = 0;
  cleared_ = last_;
  in_flight_ = 0;
  ++epoch_;
}

}  // namespace ocp_mock
