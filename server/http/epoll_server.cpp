#include "http/epoll_server.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "http/connection.h"

namespace ocp_mock::http {
namespace {

constexpr std::chrono::milliseconds kTick{500};
constexpr int kAcceptedAtOnce = 64;  // between which others are served

// What a loop watches beside its connections: its mailbox, then the sockets that listen.
constexpr WatchId kMailbox = 0;
constexpr WatchId kFirstListener = 1;

// A slot among the connections that may be open; given back when it goes.
struct SlotReleaser {
  void operator()(std::atomic<std::size_t>* open) const { --*open; }
};
using ConnectionSlot = std::unique_ptr<std::atomic<std::size_t>, SlotReleaser>;

struct Accepted {
  Descriptor socket;
  std::string peer;
  ConnectionSlot slot;
};

[[noreturn]] void throw_errno(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

// Messages from other threads to a loop. A shared object of its own, because a thread may complete a response after the
// loop is gone.
class Mailbox {
 public:
  Mailbox() : wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (wake_.get() < 0) throw_errno("cannot make an event loop");
  }

  int descriptor() const { return wake_.get(); }

  void wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
  }

  // The connection, if it is still there, may have an answer.
  void notify_ready(WatchId connection) {
    {
      const std::lock_guard lock(mutex_);
      ready_.push_back(connection);
    }
    wake();
  }

  // To be called when the descriptor is readable.
  std::vector<WatchId> take_ready() {
    std::uint64_t ignored = 0;
    [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &ignored, sizeof ignored);
    const std::lock_guard lock(mutex_);
    return std::exchange(ready_, {});
  }

 private:
  Descriptor wake_;
  std::mutex mutex_;
  std::vector<WatchId> ready_;
};

}  // namespace

struct EpollServer::Shared {
  Shared(ServerOptions server_options, Listener sockets)
      : options(std::move(server_options)), listener(std::move(sockets)) {}

  const ServerOptions options;
  Listener listener;
  Handler handler;
  std::atomic<bool> stopping{false};
  std::atomic<std::size_t> connections{0};  // open now
  std::atomic<std::size_t> accepted{0};     // in all
  std::vector<std::unique_ptr<Loop>> loops;
};

// A thread and its connections. Any loop accepts; connections are dealt out in turn, so that no loop gets them all.
class EpollServer::Loop {
 public:
  explicit Loop(Shared& shared)
      : shared_(shared),
        mailbox_(std::make_shared<Mailbox>()),
        context_{.handler = shared.handler, .waker = [this](WatchId connection) { return waker(connection); }},
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_.get() < 0) throw_errno("cannot make an event loop");
    control(EPOLL_CTL_ADD, mailbox_->descriptor(), EPOLLIN, kMailbox);
    set_accepting(true);
  }

  void start() {
    thread_ = std::thread([this] { run(); });
  }

  void join() {
    if (thread_.joinable()) thread_.join();
  }

  void wake() { mailbox_->wake(); }

 private:
  struct Client {
    ConnectionSlot slot;
    Connection connection;
    unsigned watched;
  };

  void run() {
    std::array<epoll_event, 256> events;
    SteadyTime next_tick = SteadyTime::clock::now() + kTick;
    while (!finished()) {
      // Clients on this machine may have more to ask by the time they have run; a loop that sleeps for each request
      // keeps the others waiting for its wake-ups.
      std::this_thread::yield();
      const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), poll_timeout());
      const SteadyTime now = SteadyTime::clock::now();
      for (int i = 0; i < count; ++i) {
        guarded([&] { handle(events[static_cast<std::size_t>(i)], now); });
      }
      guarded([&] { call_timers(now); });
      if (now >= next_tick) {
        next_tick = now + kTick;
        guarded([&] { tick(now); });
      }
    }
    clients_.clear();
  }

  // What fails here, memory or the epoll set, must not end the process.
  template <typename Action>
  void guarded(const Action& action) {
    try {
      action();
    } catch (const std::exception& error) {
      try {
        warn(std::string("something was given up: ") + error.what());
      } catch (const std::exception&) {
        // not even memory for the warning
      }
    }
  }

  void warn(const std::string& text) const {
    if (shared_.options.warn) shared_.options.warn(text);
  }

  // How long to wait for events, in milliseconds; -1 for ever.
  int poll_timeout() const {
    using std::chrono::milliseconds;
    if (clients_.empty() && failures_.empty() && accepting_ && !stopping_) return -1;
    if (timers_.empty() && !stopping_) return static_cast<int>(kTick.count());
    const SteadyTime now = SteadyTime::clock::now();
    SteadyTime until = now + kTick;
    if (stopping_) until = std::min(until, stop_deadline_);
    if (!timers_.empty()) until = std::min(until, timers_.begin()->first);
    return static_cast<int>(std::max(std::chrono::ceil<milliseconds>(until - now), milliseconds{0}).count());
  }

  // Once the inbox is closed under its lock, no loop can leave a connection here any more.
  bool finished() {
    if (!stopping_) return false;
    if (!clients_.empty() && SteadyTime::clock::now() < stop_deadline_) return false;
    const std::lock_guard lock(inbox_mutex_);
    inbox_closed_ = inbox_.empty();
    return inbox_closed_;
  }

  void handle(const epoll_event& event, SteadyTime now) {
    if (event.data.u64 == kMailbox) return on_wake(now);
    if (event.data.u64 < first_connection()) return accept_some(event.data.u64 - kFirstListener, now);
    // An earlier event of the batch may have ended it.
    const auto client = clients_.find(event.data.u64);
    if (client == clients_.end()) return;
    update(client, [&](Connection& connection) {
      bool alive = (event.events & (EPOLLERR | EPOLLHUP)) == 0;
      if (!alive) connection.on_hangup();
      if (alive && (event.events & EPOLLOUT) != 0) alive = connection.on_writable(context_, now);
      if (alive && (event.events & EPOLLRDHUP) != 0) alive = connection.on_shut(context_, now);
      if (alive && (event.events & EPOLLIN) != 0) alive = connection.on_readable(context_, now);
      return alive;
    });
  }

  void on_wake(SteadyTime now) {
    // Before anything that may fail: nobody tells it again.
    for (const WatchId id : mailbox_->take_ready()) {
      if (const auto client = clients_.find(id); client != clients_.end()) {
        update(client, [&](Connection& connection) { return connection.on_ready(context_, now); });
      }
    }
    if (shared_.stopping && !stopping_) {
      stopping_ = true;
      stop_deadline_ = now + shared_.options.stop_time;
      for (std::size_t listener = 0; listener < shared_.listener.size(); ++listener) {
        while (accept_into(listener, acquire_slot(), [&](Accepted accepted) { add(std::move(accepted), now); })) {
        }
      }
      set_accepting(false);
      // Those who come from now on are refused, and need not wait for a server that will not answer.
      for (std::size_t listener = 0; listener < shared_.listener.size(); ++listener) {
        ::shutdown(shared_.listener.descriptor(listener), SHUT_RDWR);
      }
      for_each_client([&](Connection& connection) { return connection.stop(context_, now); });
    }
    std::vector<Accepted> arrived;
    {
      const std::lock_guard lock(inbox_mutex_);
      arrived.swap(inbox_);
    }
    for (Accepted& accepted : arrived) {
      guarded([&] { add(std::move(accepted), now); });
    }
  }

  void tick(SteadyTime now) {
    for_each_client([&](Connection& connection) { return connection.on_tick(context_, now); });
    for (const auto& [why, count] : failures_) {
      if (count > 1) warn(why + " (" + std::to_string(count - 1) + " more of these)");
    }
    failures_.clear();
    if (!accepting_ && !stopping_) set_accepting(true);
  }

  void call_timers(SteadyTime now) {
    while (!timers_.empty() && timers_.begin()->first <= now) {
      const auto client = clients_.find(timers_.begin()->second);
      // Takes the timer away first.
      update(client, [&](Connection& connection) { return connection.on_timer(context_, now); });
    }
  }

  std::function<void()> waker(WatchId connection) const {
    return [mailbox = std::weak_ptr<Mailbox>(mailbox_), connection] {
      if (const auto open = mailbox.lock()) open->notify_ready(connection);
    };
  }

  // Several at once: one a round would keep the last of many waiting for a round for each that came before.
  void accept_some(std::size_t listener, SteadyTime now) {
    for (int i = 0; i < kAcceptedAtOnce && accepting_ && !stopping_; ++i) {
      // Taken before the connection is, for another loop may take the last one meanwhile.
      ConnectionSlot slot = acquire_slot();
      if (shared_.connections > shared_.options.max_connections) {
        // Only the first is known to have somebody who waits.
        if (i == 0) {
          pause_accepting(std::to_string(shared_.options.max_connections) + " are open, which is the limit");
        }
        return;
      }
      const bool is_more = accept_into(listener, std::move(slot), [&](Accepted accepted) {
        Loop& loop = *shared_.loops[shared_.accepted.fetch_add(1) % shared_.loops.size()];
        if (&loop == this || !loop.deliver(accepted)) add(std::move(accepted), now);
      });
      if (!is_more) return;
    }
  }

  ConnectionSlot acquire_slot() {
    ++shared_.connections;
    return ConnectionSlot(&shared_.connections);
  }

  // False when there is no further connection to accept.
  template <typename Take>
  bool accept_into(std::size_t listener, ConnectionSlot slot, const Take& take) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    Descriptor socket(::accept4(shared_.listener.descriptor(listener), reinterpret_cast<sockaddr*>(&peer), &size,
                                SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.get() >= 0) {
      pause_was_told_ = false;
      take({std::move(socket), address_text(peer), std::move(slot)});
      return true;
    }
    if (errno == ECONNABORTED || errno == EINTR) return true;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      pause_accepting(std::generic_category().message(errno));
    }
    return false;
  }

  // Until the next tick, by when connections may have ended. Those who wait stay in the kernel's queue.
  void pause_accepting(const std::string& why) {
    set_accepting(false);
    if (!std::exchange(pause_was_told_, true)) warn("cannot accept a connection: " + why);
  }

  // Takes the connection over for this loop's thread; false, and the connection untouched, if the loop has ended.
  bool deliver(Accepted& accepted) {
    {
      const std::lock_guard lock(inbox_mutex_);
      if (inbox_closed_) return false;
      inbox_.push_back(std::move(accepted));
    }
    wake();
    return true;
  }

  void add(Accepted accepted, SteadyTime now) {
    const WatchId id = next_id_++;
    const auto [client, added] =
        clients_.try_emplace(id, Client{std::move(accepted.slot),
                                        Connection(id, Stream(std::move(accepted.socket), shared_.options.tls.get()),
                                                   std::move(accepted.peer), shared_.options.limits, now),
                                        EPOLLIN});
    update(client, [&](Connection& connection) {
      control(EPOLL_CTL_ADD, connection.descriptor(), EPOLLIN, id);
      return !stopping_ || connection.stop(context_, now);
    });
  }

  using Clients = std::unordered_map<WatchId, Client>;

  template <typename Action>
  void for_each_client(const Action& action) {
    for (auto client = clients_.begin(); client != clients_.end();) {
      const auto next = std::next(client);
      update(client, action);
      client = next;
    }
  }

  // Does something with a connection that says whether it lives on. One that fails, for want of memory say, ends alone.
  template <typename Action>
  void update(Clients::iterator client, const Action& action) {
    if (const auto timer = client->second.connection.timer()) timers_.erase({*timer, client->first});
    bool alive = false;
    guarded([&] { alive = action(client->second.connection) && watch(client); });
    if (alive) return;
    if (const std::string& why = client->second.connection.failure(); !why.empty()) {
      guarded([&] {
        if (failures_[why]++ == 0) warn(why);
      });
    }
    clients_.erase(client);
  }

  bool watch(Clients::iterator client) {
    const unsigned interest = client->second.connection.interest();
    if (interest != client->second.watched) {
      client->second.watched = interest;
      control(EPOLL_CTL_MOD, client->second.connection.descriptor(), interest, client->first);
    }
    if (const auto timer = client->second.connection.timer()) timers_.emplace(*timer, client->first);
    return true;
  }

  void set_accepting(bool on) {
    if (on == accepting_) return;
    for (std::size_t listener = 0; listener < shared_.listener.size(); ++listener) {
      // EPOLLEXCLUSIVE wakes one loop a connection, not all.
      control(on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, shared_.listener.descriptor(listener), EPOLLIN | EPOLLEXCLUSIVE,
              kFirstListener + listener);
    }
    accepting_ = on;
  }

  WatchId first_connection() const { return kFirstListener + shared_.listener.size(); }

  void control(int operation, int descriptor, unsigned events, WatchId id) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = id;
    if (::epoll_ctl(epoll_.get(), operation, descriptor, &event) != 0) throw_errno("cannot watch a socket");
  }

  Shared& shared_;
  const std::shared_ptr<Mailbox> mailbox_;
  LoopContext context_;
  Descriptor epoll_;
  bool accepting_ = false;
  bool pause_was_told_ = false;
  std::map<std::string, std::size_t> failures_;  // of TLS, since the last tick
  bool stopping_ = false;
  SteadyTime stop_deadline_;
  Clients clients_;
  WatchId next_id_ = first_connection();
  std::set<std::pair<SteadyTime, WatchId>> timers_;  // of the connections that have one
  std::mutex inbox_mutex_;
  std::vector<Accepted> inbox_;  // connections that other loops have accepted for this one
  bool inbox_closed_ = false;
  std::thread thread_;
};

EpollServer::EpollServer(ServerOptions options)
    : EpollServer(options, Listener(options.host, options.port, addresses_of(options.host))) {}

EpollServer::EpollServer(ServerOptions options, Listener listener)
    : shared_(std::make_unique<Shared>(std::move(options), std::move(listener))) {
  if (!shared_->options.warn) return;
  for (const std::string& text : shared_->listener.passed_over()) shared_->options.warn(text);
}

EpollServer::~EpollServer() { stop(); }

int EpollServer::port() const { return shared_->listener.port(); }
std::string EpollServer::url() const {
  return (shared_->options.tls ? "https://" : "http://") + shared_->listener.authority();
}
bool EpollServer::is_loopback() const { return shared_->listener.is_loopback(); }

void EpollServer::start(Handler handler) {
  shared_->handler = std::move(handler);
  shared_->listener.listen();
  int threads = shared_->options.threads;
  if (threads <= 0) threads = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 2, 8);
  for (int i = 0; i < threads; ++i) shared_->loops.push_back(std::make_unique<Loop>(*shared_));
  for (const auto& loop : shared_->loops) loop->start();
}

void EpollServer::stop() {
  shared_->stopping = true;
  for (const auto& loop : shared_->loops) loop->wake();
  for (const auto& loop : shared_->loops) loop->join();
}

}  // namespace ocp_mock::http
