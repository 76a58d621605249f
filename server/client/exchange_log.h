// Requests and their answers as they pass, each in a file before the client has its answer: a process that is killed
// loses none that was answered.
// Input: exchanges. Output: the same by their places, also to a later process. Thread safety: read() by any thread
// while nobody calls another function; the others by one at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>

#include "base/spool_file.h"
#include "client/upstream.h"

namespace ocp_mock {

struct PassedExchange {
  PassedRequest request;  // without headers
  UpstreamAnswer answer;
};

class ExchangeLog {
 public:
  using Place = SpoolFile::Place;

  // Opens the file or makes it. Throws std::system_error.
  explicit ExchangeLog(std::filesystem::path file);

  // Throws std::system_error, and then has appended nothing.
  Place append(const PassedExchange& exchange);

  // Throws std::system_error.
  PassedExchange read(Place place) const;

  // Visits all that are there, in the order in which they were appended, and removes the rest of one that is not whole.
  void each(const std::function<void(Place, const PassedExchange&)>& visit);

  std::int64_t size() const { return spool_.size(); }

  // Replaces the file by one that has only these, in this order, and says their new places. Throws std::system_error,
  // and then all is as it was.
  void keep_only(std::span<Place* const> places);

  // Removes all exchanges; the other one removes the file too, and what is appended later goes with the process. Both
  // throw std::system_error.
  void clear() { spool_.cut(0); }
  void remove();

 private:
  std::filesystem::path file_;
  SpoolFile spool_;
};

}  // namespace ocp_mock
