#include "http/deferred_response.h"

#include <utility>

namespace ocp_mock::http {

DeferredResponse::DeferredResponse(std::function<Response()> make, std::optional<bool> has_head)
    : make_(std::move(make)), has_head_(has_head) {}

void DeferredResponse::complete() {
  std::function<void()> wake;
  {
    const std::lock_guard lock(mutex_);
    is_complete_ = true;
    wake = std::exchange(wake_, nullptr);
  }
  if (wake) wake();
}

bool DeferredResponse::on_complete(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  if (!is_complete_) wake_ = std::move(wake);
  return is_complete_;
}

bool DeferredResponse::is_complete() const {
  const std::lock_guard lock(mutex_);
  return is_complete_;
}

Response DeferredResponse::take() { return std::exchange(make_, nullptr)(); }

void DeferredResponse::abandon() {
  abandoned_ = true;
  make_ = nullptr;
  const std::lock_guard lock(mutex_);
  wake_ = nullptr;
}

}  // namespace ocp_mock::http
