// What fixtures answer, without a socket: for the commands that compare them with an OCP, or complete them from one.
// Input: files of fixtures, requests. Output: whole answers; the thread that asks waits for them.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "app/service.h"
#include "http/message.h"

namespace ocp_mock {

class LocalSide {
 public:
  // Throws what loading throws.
  LocalSide(const std::vector<std::filesystem::path>& fixtures, AuthMode auth);
  ~LocalSide();
  LocalSide(const LocalSide&) = delete;
  LocalSide& operator=(const LocalSide&) = delete;

  std::shared_ptr<const Dataset> data() { return service_->data(); }

  // Thread-safe.
  http::Response answer(const http::Request& request);

 private:
  std::unique_ptr<Service> service_;
};

}  // namespace ocp_mock
