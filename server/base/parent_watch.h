// The end of this process's parent as a SIGTERM to this process.
// Input: the parent. Output: a signal.
#pragma once

#include <thread>

namespace ocp_mock {

// Watches the process, not the thread that has started this one: a pool of threads may end it at any time. Where that
// cannot be watched (a kernel before 5.3, a parent outside of the container), it is the thread after all.
// Requires: SIGTERM is blocked, or handled.
class ParentWatch {
 public:
  // A parent that has ended since the process was started counts as well, unless it was replaced before this call.
  // Throws std::system_error.
  ParentWatch();
  ~ParentWatch();
  ParentWatch(const ParentWatch&) = delete;
  ParentWatch& operator=(const ParentWatch&) = delete;

 private:
  void run(int parent) const;

  int stop_ = -1;  // an eventfd
  std::thread thread_;
};

}  // namespace ocp_mock
