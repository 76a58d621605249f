#include "http/httplib_server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <condition_variable>
#include <exception>
#include <filesystem>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "http/deferred_response.h"
#include "http/request_parser.h"
#include "http/response_writer.h"

namespace ocp_mock::http {
namespace {

using Clock = std::chrono::steady_clock;

// How often a waiting thread checks whether the server stops.
constexpr std::chrono::milliseconds kTick{50};

// httplib adds these to the headers of a request.
constexpr std::array<std::string_view, 4> kAdded{"REMOTE_ADDR", "REMOTE_PORT", "LOCAL_ADDR", "LOCAL_PORT"};

// Shuts the server's connections on a port for reading, so that those that are idle end. httplib has no call for it,
// and older versions let an idle connection keep the server from stopping.
void end_idle_connections(int port) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    int descriptor = -1;
    std::from_chars(name.data(), name.data() + name.size(), descriptor);
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) continue;
    if (address_text(address).empty() || port_of(address) != port) continue;
    size = sizeof address;
    const bool is_connected = ::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    if (is_connected) ::shutdown(descriptor, SHUT_RD);
  }
}

// Newer versions keep header fields in a map without an order, and let a server write them. There the text of all
// fields is one more field, without a name, and that is what is written.
template <typename Server>
concept WritesFields = requires(Server& server) {
  server.set_header_writer({});
};
constexpr bool kWritesFields = WritesFields<httplib::Server>;

template <typename Server>
void write_fields_in_order(Server& server) {
  if constexpr (WritesFields<Server>) {
    server.set_header_writer([](httplib::Stream& stream, httplib::Headers& fields) {
      const auto text = fields.find("");
      const std::string head = (text == fields.end() ? "" : text->second) + "\r\n";
      return stream.write(head.data(), head.size());
    });
  }
}

// A thread for each connection: a pool of httplib's would let no more clients in than it has threads, for as long as
// they keep their connections.
class ConnectionThreads : public httplib::TaskQueue {
 public:
  explicit ConnectionThreads(int port) : port_(port) {}

  // void or bool, by the version.
  using Enqueued = decltype(std::declval<httplib::TaskQueue&>().enqueue(std::function<void()>()));

  Enqueued enqueue(std::function<void()> connection) override {
    {
      const std::lock_guard lock(mutex_);
      ++open_;
    }
    const auto serve = [this, connection = std::move(connection)] {
      connection();
      const std::lock_guard lock(mutex_);
      if (--open_ == 0) closed_.notify_all();
    };
    try {
      std::thread(serve).detach();
    } catch (const std::system_error&) {
      serve();  // while the others wait
    }
    return static_cast<Enqueued>(true);
  }

  // Waits for all.
  void shutdown() override {
    std::unique_lock lock(mutex_);
    do {
      end_idle_connections(port_);
    } while (!closed_.wait_for(lock, kTick, [this] { return open_ == 0; }));
  }

 private:
  const int port_;
  std::mutex mutex_;
  std::condition_variable closed_;
  std::size_t open_ = 0;
};

// What the parser is fed of a request that httplib has taken apart. A value that httplib has decoded cannot end its
// line.
std::string head_of(const httplib::Request& in) {
  std::string head = in.method + " " + in.target + " " + in.version + "\r\n";
  for (const auto& [name, value] : in.headers) {
    if (std::ranges::find(kAdded, name) != kAdded.end()) continue;
    head += name + ": ";
    for (const char c : value) head += c == '\r' ? "%0D" : c == '\n' ? "%0A" : std::string(1, c);
    head += "\r\n";
  }
  return head + "\r\n";
}

// IPv4 clients of an IPv6 socket have their IPv4 address.
std::string peer_of(const httplib::Request& in) {
  constexpr std::string_view kMapped = "::ffff:";
  const bool is_mapped = in.remote_addr.starts_with(kMapped) && in.remote_addr.find('.') != std::string::npos;
  return is_mapped ? in.remote_addr.substr(kMapped.size()) : in.remote_addr;
}

// Why httplib has refused a request.
ParseError refusal_of(const httplib::Request& in, int status) {
  if (status == 414) return ParseError::TargetTooLong;
  const bool is_http = in.version.starts_with("HTTP/");
  if (is_http && in.version != "HTTP/1.1" && in.version != "HTTP/1.0") return ParseError::VersionNotSupported;
  return in.headers.empty() ? ParseError::MalformedRequestLine : ParseError::MalformedHeader;
}

}  // namespace

class HttplibServer::Engine {
 public:
  explicit Engine(ServerOptions options)
      : options_(std::move(options)),
        listener_(Listener(options_.host, options_.port, addresses_of(options_.host))),
        hosts_(listener_->hosts()),
        port_(listener_->port()),
        is_loopback_(listener_->is_loopback()),
        url_((options_.tls ? "https://" : "http://") + listener_->authority()) {
    if (!options_.warn) return;
    for (const std::string& text : listener_->passed_over()) options_.warn(text);
  }

  int port() const { return port_; }
  const std::string& url() const { return url_; }
  bool is_loopback() const { return is_loopback_; }

  void start(Handler handler) {
    handler_ = std::move(handler);
    // httplib binds and listens in one step: the port is let go for it.
    listener_.reset();
    for (const std::string& host : hosts_) {
      servers_.push_back(make());
      if (servers_.back()->bind_to_port(host, port_)) continue;
      servers_.clear();
      Listener(options_.host, port_, addresses_of(options_.host)).listen();  // says why it cannot be had
      throw std::runtime_error("httplib cannot listen on port " + std::to_string(port_) + " of " + host);
    }
    for (const auto& server : servers_) {
      threads_.emplace_back([&server = *server] { server.listen_after_bind(); });
      while (!server->is_running()) std::this_thread::yield();  // stop() does nothing before
    }
  }

  void stop() {
    {
      // Not before they are written: what httplib has not written when it stops is lost.
      std::unique_lock lock(mutex_);
      if (!stopping_) stop_deadline_ = Clock::now() + options_.stop_time;
      stopping_ = true;
      finished_.wait_until(lock, stop_deadline_, [this] { return in_flight_ == 0; });
    }
    for (const auto& server : servers_) server->stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    servers_.clear();
  }

 private:
  std::unique_ptr<httplib::Server> make() {
    using httplib::Request;
    using httplib::Response;
    auto server =
        options_.tls
            ? std::make_unique<httplib::SSLServer>([this](SSL_CTX& context) { return options_.tls->copy_to(context); })
            : std::make_unique<httplib::Server>();
    server->new_task_queue = [this] { return new ConnectionThreads(port_); };
    server->set_tcp_nodelay(true);
    // By default httplib also sets SO_REUSEPORT, with which two servers share a port in silence.
    server->set_socket_options([](socket_t socket) {
      const int on = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    server->set_keep_alive_max_count(std::numeric_limits<std::size_t>::max());
    server->set_keep_alive_timeout(std::chrono::ceil<std::chrono::seconds>(options_.limits.idle_time).count());
    server->set_read_timeout(options_.limits.request_time);
    server->set_write_timeout(options_.limits.write_time);
    server->set_payload_max_length(options_.limits.parser.body_bytes);
    // httplib reads a body, and leaves the reading to a handler, for some methods only: every request takes that route,
    // and answer() gives it its method back.
    server->set_pre_routing_handler([](const Request& in, Response&) {
      Request& request = const_cast<Request&>(in);
      request.path = std::exchange(request.method, "POST");
      return httplib::Server::HandlerResponse::Unhandled;
    });
    server->Post("[A-Z]+", [this](const Request& in, Response& out, const httplib::ContentReader& read) {
      Request& request = const_cast<Request&>(in);
      request.method = request.path;
      answer(request, out, &read);
    });
    // Called with every response of 400 and more, also ours, which have headers by then.
    server->set_error_handler(httplib::Server::HandlerWithResponse([this](const Request& in, Response& out) {
      if (!out.headers.empty()) return httplib::Server::HandlerResponse::Unhandled;
      Request& request = const_cast<Request&>(in);
      if (out.status == 416) {  // a Range, which OCP ignores
        answer(request, out, nullptr);
      } else {
        http::Request refused;
        refused.peer = peer_of(in);
        refused.parse_error = refusal_of(in, out.status);
        send(response_to(refused), request, out, ConnectionMode::Close);
      }
      return httplib::Server::HandlerResponse::Handled;
    }));
    write_fields_in_order(*server);
    server->set_post_routing_handler([](const Request& in, Response& out) { out.headers = in.headers; });
    return server;
  }

  void answer(httplib::Request& in, httplib::Response& out, const httplib::ContentReader* read) {
    // The rules of the parser are those of both engines.
    RequestParser parser({options_.limits.parser}, peer_of(in));
    parser.feed(head_of(in));
    http::Request request = parser.request();
    bool keep = parser.keep_alive();
    if (!parser.complete()) {
      // So that httplib neither takes the body apart nor unpacks it, nor passes over that of a DELETE.
      in.headers.erase("Content-Type");
      in.headers.erase("Content-Encoding");
      in.method = "POST";
      if (read == nullptr || !read_body(*read, out, request)) keep = false;
      in.method = request.method;
    }
    // httplib knows only this spelling.
    if (parser.is_http_1_0() && request.header("Connection") != "Keep-Alive") keep = false;
    http::Response response = response_to(request);
    {
      const std::lock_guard lock(mutex_);
      keep = keep && !stopping_;
    }
    send(std::move(response), in, out,
         !keep                  ? ConnectionMode::Close
         : parser.is_http_1_0() ? ConnectionMode::KeepAliveHttp10
                                : ConnectionMode::KeepAlive);
  }

  // False, with the request's parse error, if it does not come whole.
  bool read_body(const httplib::ContentReader& read, httplib::Response& out, http::Request& request) const {
    const std::size_t most = options_.limits.parser.body_bytes;
    bool is_too_large = false;
    const bool is_whole = read([&](const char* bytes, std::size_t size) {
      is_too_large = size > most - request.body.size();
      if (!is_too_large) request.body.append(bytes, size);
      return !is_too_large;
    });
    if (is_whole) return true;
    const bool is_chunked = request.header("Transfer-Encoding").has_value();
    request.parse_error = is_too_large || out.status == 413 ? ParseError::BodyTooLarge
                          : is_chunked                      ? ParseError::BadChunk
                                                            : ParseError::Timeout;
    return false;
  }

  http::Response response_to(const http::Request& request) {
    {
      const std::lock_guard lock(mutex_);
      ++in_flight_;
    }
    try {
      http::Response response = handler_(request);
      while (response.deferred) response = wait_for(*response.deferred);
      return response;
    } catch (...) {
      return {.status = 500};
    }
  }

  // Until the stop is over at most.
  http::Response wait_for(DeferredResponse& deferred) {
    struct Completion {
      std::mutex mutex;
      std::condition_variable changed;
      bool is_complete = false;
    };
    const auto completion = std::make_shared<Completion>();
    const bool is_complete = deferred.on_complete([completion] {
      const std::lock_guard lock(completion->mutex);
      completion->is_complete = true;
      completion->changed.notify_all();
    });
    std::unique_lock lock(completion->mutex);
    completion->is_complete = completion->is_complete || is_complete;
    while (!completion->changed.wait_for(lock, kTick, [&] { return completion->is_complete; })) {
      if (!is_over()) continue;
      lock.unlock();
      deferred.abandon();
      return {.status = 503};  // unless the connection ends first
    }
    lock.unlock();
    return deferred.take();
  }

  bool is_over() {
    const std::lock_guard lock(mutex_);
    return stopping_ && Clock::now() >= stop_deadline_;
  }

  // Ends what response_to() began.
  void send(http::Response response, httplib::Request& in, httplib::Response& out, ConnectionMode mode) {
    const bool head_only = in.method == "HEAD";
    std::string length;
    // While it writes httplib asks the request's headers whether to compress, to cut, and to close: it shall see ours,
    // and the last handler makes them the response's.
    in.headers.clear();
    in.ranges.clear();
    std::string text;
    for (const auto& [name, value] : head_fields(response, mode, length)) {
      in.headers.emplace(std::string(name), std::string(value));
      text.append(name).append(": ").append(value).append("\r\n");
    }
    if (kWritesFields) in.headers.emplace("", text);
    out.headers = in.headers;
    out.status = response.status;
    if (response.on_departed) response.on_departed(true, head_only ? 0 : response.body.size());
    // The request lives until the response is written, and a server does not use this member of it.
    const std::shared_ptr<void> in_flight(nullptr, [this](void*) {
      const std::lock_guard lock(mutex_);
      if (--in_flight_ == 0) finished_.notify_all();
    });
    in.response_handler = [in_flight](const httplib::Response&) { return true; };
    if (mode != ConnectionMode::Close) {
      out.body = std::move(response.body);
      return;
    }
    // A provider that gives up is the one way to close a connection whatever the request says, and is not asked for
    // HEAD.
    in.method = "GET";
    if (head_only) response.body.clear();
    out.set_content_provider("text/plain", [body = std::move(response.body)](std::size_t, httplib::DataSink& sink) {
      if (!body.empty()) sink.write(body.data(), body.size());
      return false;
    });
  }

  const ServerOptions options_;
  std::optional<Listener> listener_;  // holds the port until start()
  const std::vector<std::string> hosts_;
  const int port_;
  const bool is_loopback_;
  const std::string url_;
  Handler handler_;
  std::mutex mutex_;
  std::condition_variable finished_;
  std::size_t in_flight_ = 0;  // requests whose response is not written yet
  bool stopping_ = false;
  Clock::time_point stop_deadline_;
  std::vector<std::unique_ptr<httplib::Server>> servers_;  // one an address
  std::vector<std::thread> threads_;
};

HttplibServer::HttplibServer(ServerOptions options) : engine_(std::make_unique<Engine>(std::move(options))) {}

HttplibServer::~HttplibServer() { stop(); }

int HttplibServer::port() const { return engine_->port(); }
std::string HttplibServer::url() const { return engine_->url(); }
bool HttplibServer::is_loopback() const { return engine_->is_loopback(); }
void HttplibServer::start(Handler handler) { engine_->start(std::move(handler)); }
void HttplibServer::stop() { engine_->stop(); }

}  // namespace ocp_mock::http
