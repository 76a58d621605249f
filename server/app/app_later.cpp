// The part of App that waits: for a delay, or for what another thread does.
#include <memory>
#include <utility>

#include "app/app.h"
#include "http/deferred_response.h"
#include "http/paced_response.h"

namespace ocp_mock {

// The rest of the way, after what holds no thread of a connection. A client that goes meanwhile leaves an entry in the
// journal as well.
class App::Later {
 public:
  Later(const App& app, const http::Request& request, Exchange exchange)
      : app_(app), request_(request), exchange_(std::move(exchange)) {}
  Later(const Later&) = delete;
  Later& operator=(const Later&) = delete;
  ~Later() {
    if (concluded_) return;
    try {
      app_.record_leaving(request_, exchange_);
    } catch (const std::exception&) {
      // There is no memory for an entry.
    }
  }

  http::Response conclude() {
    concluded_ = true;
    return app_.conclude(request_, exchange_);
  }

  // Whether the answer will begin with a head, as far as its fault says.
  bool has_head() const { return !exchange_.fault || http::has_head(exchange_.fault->action.wire.fault); }

  // Goes with this.
  void keep(Scheduler::Timer timer) { timer_ = std::move(timer); }

 private:
  const App& app_;
  const http::Request request_;
  Exchange exchange_;
  Scheduler::Timer timer_;
  bool concluded_ = false;
};

std::shared_ptr<http::DeferredResponse> App::pending(const std::shared_ptr<Later>& later) {
  return std::make_shared<http::DeferredResponse>([later] { return later->conclude(); }, later->has_head());
}

// What the worker has answered. A response that nobody takes counts as one whose client has left.
struct App::Handled {
  Handled() = default;
  Handled(const Handled&) = delete;
  Handled& operator=(const Handled&) = delete;
  ~Handled() {
    try {
      if (response.deferred) response.deferred->abandon();
      if (response.on_departed) response.on_departed(false, 0);
    } catch (const std::exception&) {
      // There is no memory for an entry.
    }
  }

  http::Response response{.status = 500};
};

// All of it, for what is done with a body, from its signature to its journal, takes time by its length. Also for a
// client that has left meanwhile: a request has its effects whoever waits.
http::Response App::handle_on_worker(const http::Request& request, std::chrono::steady_clock::time_point start) const {
  const auto handled = std::make_shared<Handled>();
  const auto take = [handled] { return std::exchange(handled->response, {}); };
  http::Response response;
  response.deferred = std::make_shared<http::DeferredResponse>(take, std::nullopt);
  long_bodies_.add([this, request = http::Request(request), start, handled, pending = response.deferred] {
    try {
      handled->response = handle_now(request, start);
    } catch (const std::exception&) {
      // There is no memory; it is answered with 500.
    }
    pending->complete();
  });
  return response;
}

http::Response App::delayed(const http::Request& request, Exchange& exchange) const {
  const std::shared_ptr<World> world = exchange.world;
  const std::chrono::milliseconds delay = exchange.fault->action.delay;
  const std::uint64_t releases = exchange.releases;
  const auto later = std::make_shared<Later>(*this, request, std::move(exchange));
  http::Response response;
  response.deferred = pending(later);
  later->keep(world->delay(delay, response.deferred, releases));
  return response;
}

// The request is answered once it is prepared.
http::Response App::prepared(const http::Request& request, Exchange& exchange) const {
  auto preparation = std::exchange(exchange.preparation, {});
  const bool writes = exchange.writes;
  Worker& preparer = *exchange.preparer;
  // All others are answered from the beginning.
  if (!writes) exchange.violations.clear();
  http::Response response;
  response.deferred = pending(std::make_shared<Later>(*this, request, std::move(exchange)));
  preparer.add([writes, preparation = std::move(preparation), pending = response.deferred] {
    // What it throws, the answer throws again.
    try {
      // OCP does not look whether who asked for a change is still there.
      if (writes || !pending->abandoned()) preparation();
    } catch (const std::exception&) {
    }
    pending->complete();
  });
  return response;
}

}  // namespace ocp_mock
