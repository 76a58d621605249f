#include "client/recorder.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "base/utf8.h"
#include "http/deferred_response.h"
#include "http/limits.h"
#include "ocp/digest.h"
#include "ocp/envelope.h"
#include "ocp/error.h"
#include "ocp/instant.h"
#include "ocp/negotiation.h"
#include "ocp/parse_refusal.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

// Writing takes at most a tenth of the time.
constexpr std::chrono::milliseconds kLeastPause{200};
constexpr int kPauses = 10;
constexpr std::size_t kMostSaid = 100;
constexpr std::string_view kServer = "ocp-mock-server record";
constexpr int kOffsetMinutes = 0;

// Why an answer with this status says nothing of what a later request gets; empty if it does.
std::string_view fault_of(int status) {
  switch (status) {
    case 206:
    case 304: return "its answer is not whole";
    case 401: return "it is refused for its credentials";
    case 429: return "it is refused for now";
    case 502:
    case 503:
    case 504: return "the OCP is not there";
    default: return status < 200 ? "its answer is not whole" : "";
  }
}

http::Response error_answer(const http::Request& request, int status, std::int64_t code, std::string_view message) {
  EnvelopeValues values;
  values.server = kServer;
  values.timestamp = format_iso_offset(to_instant(std::chrono::system_clock::now()), kOffsetMinutes);
  values.trace_id = request.header("x-trace-id").value_or("0000000000000000");
  return {status, {{"Content-Type", std::string(kJsonType)}}, error_envelope(status, code, message, values)};
}

http::Response error_answer(const http::Request& request, const ApiError& error) {
  return error_answer(request, error.status(), error.code(), error.text(Language::English));
}

http::Response response_of(const UpstreamAnswer& answer) { return {answer.status, answer.headers, answer.body}; }

std::string plural_of(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string shown(const PassedRequest& request) {
  return fmt::format("{} {}", printable(request.method), printable(split_target(request.target).path, 300));
}

}  // namespace

Recorder::Recorder(const RecordOptions& options, const Router& router, Say say, Fixtures fixtures)
    : mode_(options.mode),
      url_(options.upstream.url),
      say_(std::move(say)),
      fixtures_(std::move(fixtures)),
      recording_(options.recording, router) {
  for (std::size_t i = 0; i < kConnections; ++i) {
    upstreams_.push_back(std::make_unique<Upstream>(options.upstream, [](const std::string&) {}));
  }
  if (recording_.recovered() > 0) {
    say_(fmt::format("{} of a recorder that was killed {} in {} now",
                     plural_of(static_cast<std::int64_t>(recording_.recovered()), "exchange"),
                     recording_.recovered() == 1 ? "is" : "are", recording_.file().string()));
  }
  for (const auto& upstream : upstreams_) threads_.emplace_back([this, &upstream] { ask(*upstream); });
  threads_.emplace_back([this] { save(); });
}

Recorder::~Recorder() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (const auto& upstream : upstreams_) upstream->interrupt();
  for (std::thread& thread : threads_) thread.join();
}

http::Response Recorder::handle(const http::Request& request) {
  if (const auto error = request.parse_error) {
    return error_answer(request, refusal_of(*error, http::Limits()));
  }
  if (request.method == "CONNECT") {
    return error_answer(request, ApiError(Message::NotAProxy, {printable(without_user(request.target))}));
  }
  auto job = std::make_shared<Job>(Job{request, std::make_shared<http::Response>(), nullptr});
  const Target target = split_target(request.target);
  job->request.target = fmt::format("{}{}{}", target.path, target.query.empty() ? "" : "?", target.query);
  job->deferred = std::make_shared<http::DeferredResponse>([response = job->response] { return std::move(*response); });
  http::Response later;
  later.deferred = job->deferred;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || jobs_.size() >= kMostWaiting) {
      return error_answer(request, 503, 0, "ocp-mock-server record: too many requests wait for the OCP");
    }
    jobs_.push_back(std::move(job));
  }
  changed_.notify_all();
  return later;
}

// The work of a thread with a connection of its own.
void Recorder::ask(Upstream& upstream) {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    const JobPointer job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    if (!job->deferred->abandoned()) answer(upstream, job);
    lock.lock();
  }
}

void Recorder::answer(Upstream& upstream, const JobPointer& job) {
  const http::Request& request = job->request;
  const PassedRequest passed{request.method, request.target, request.headers, request.body};
  std::optional<std::string> key = Recording::key_of(passed);
  const bool may_be_known = key && mode_ != RecordMode::Always;
  bool is_kept = false;
  if (may_be_known) {
    const std::lock_guard lock(mutex_);
    is_kept = recording_.has(*key);
    if (!is_kept) {
      const auto [waiting, is_first] = in_flight_.try_emplace(*key);
      if (!is_first) return waiting->second.push_back(job);
    }
  }
  try {
    std::optional<http::Response> answered;
    if (is_kept) {
      answered = response_of(recording_.answer(*key));
    } else if (may_be_known && fixtures_) {
      answered = fixtures_(request);
    }
    if (answered) {
      const std::lock_guard lock(mutex_);
      ++known_;
    }
    *job->response = answered ? *std::move(answered) : pass(upstream, passed, key);
  } catch (const std::exception& error) {
    *job->response = error_answer(request, 500, 0, "ocp-mock-server record: it failed; its log says why");
    say_(fmt::format("{}: {}", shown(passed), error.what()));
  }
  if (may_be_known && !is_kept) release(*key);
  job->deferred->complete();
}

http::Response Recorder::pass(Upstream& upstream, const PassedRequest& request, const std::optional<std::string>& key) {
  UpstreamAnswer answer;
  try {
    answer = upstream.pass(request);
  } catch (const CannotAsk& error) {
    {
      const std::lock_guard lock(mutex_);
      ++failed_;
    }
    say_(fmt::format("{}: {}", shown(request), error.what()));
    http::Request asked;
    asked.headers = request.headers;
    return error_answer(asked, 502, 0, fmt::format("ocp-mock-server record: {}", error.what()));
  }
  keep(request, key, answer);
  return response_of(answer);
}

void Recorder::keep(const PassedRequest& request, const std::optional<std::string>& key, const UpstreamAnswer& answer) {
  std::string why(fault_of(answer.status));
  if (why.empty() && !key) why = "no exchange can tell the request, which is binary, not UTF-8 or longer than 16 MiB";
  if (why.empty()) why = recording_.keep(*key, request, answer);
  bool is_new = false;
  {
    const std::lock_guard lock(mutex_);
    ++passed_;
    if (!why.empty()) ++not_kept_;
    is_new = !why.empty() && said_.size() < kMostSaid && said_.insert(shown(request) + why).second;
  }
  if (is_new) say_(fmt::format("not kept: {}: {}", shown(request), why));
  changed_.notify_all();
}

// Those that have waited look again: there is an answer now, or they ask for themselves.
void Recorder::release(const std::string& key) {
  {
    const std::lock_guard lock(mutex_);
    auto waiting = in_flight_.extract(key);
    jobs_.insert(jobs_.begin(), waiting.mapped().begin(), waiting.mapped().end());
  }
  changed_.notify_all();
}

// The work of the thread that writes: what a process that is killed leaves is not old.
void Recorder::save() {
  std::string problem;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || recording_.has_news(); });
    if (stopping_) return;
    lock.unlock();
    const auto start = std::chrono::steady_clock::now();
    try {
      write();
      problem.clear();
    } catch (const std::exception& error) {
      if (std::exchange(problem, error.what()) != error.what()) say_(problem);
    }
    const auto now = std::chrono::steady_clock::now();
    const auto pause = std::max<std::chrono::steady_clock::duration>(kLeastPause, (now - start) * kPauses);
    lock.lock();
    changed_.wait_until(lock, now + pause, [&] { return stopping_; });
  }
}

void Recorder::write() {
  const std::lock_guard lock(writing_);
  if (recording_.has_news()) recording_.write();
}

void Recorder::finish() {
  const std::lock_guard lock(writing_);
  recording_.finish();
}

std::string Recorder::summary() const {
  const std::lock_guard lock(mutex_);
  std::string text = fmt::format("passed {} to {}, answered {} without it", plural_of(passed_, "request"), url_,
                                 plural_of(known_, "request"));
  if (failed_ > 0) text += fmt::format("; {} could not be passed", failed_);
  if (not_kept_ > 0) text += fmt::format("; {} not kept", plural_of(not_kept_, "answer"));
  if (const std::string replaced = recording_.replaced(); !replaced.empty()) {
    text += "\nreplaced:";
    for (std::string_view rest = replaced; !rest.empty();) {
      const auto end = std::min(rest.find('\n'), rest.size());
      text.append("\n  ").append(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  if (recording_.in_file() == 0) return text + "\nnothing was kept";
  return text + fmt::format("\nkept {}, {} in {}; serve them: ocp-mock-server --fixtures {}",
                            plural_of(static_cast<std::int64_t>(recording_.kept()), "exchange"), recording_.in_file(),
                            recording_.file().string(), recording_.file().parent_path().string());
}

}  // namespace ocp_mock
