#include "http/pending.h"

#include <utility>

namespace ocp_mock::http {

Pending::Pending(std::function<Response()> finish, bool has_head) : finish_(std::move(finish)), has_head_(has_head) {}

void Pending::make_ready() {
  std::function<void()> wake;
  {
    const std::lock_guard lock(mutex_);
    ready_ = true;
    wake = std::exchange(wake_, nullptr);
  }
  if (wake) wake();
}

bool Pending::await(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  if (!ready_) wake_ = std::move(wake);
  return ready_;
}

bool Pending::ready() const {
  const std::lock_guard lock(mutex_);
  return ready_;
}

Response Pending::finish() { return std::exchange(finish_, nullptr)(); }

void Pending::abandon() {
  abandoned_ = true;
  finish_ = nullptr;
  const std::lock_guard lock(mutex_);
  wake_ = nullptr;
}

}  // namespace ocp_mock::http
