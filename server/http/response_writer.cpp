#include "http/response_writer.h"

#include <httplib.h>

namespace ocp_mock::http {
namespace {

// What httplib sees of a connection: a constant to read, the output to write to.
class BufferStream : public httplib::Stream {
 public:
  BufferStream(std::string_view input, std::string& output) : input_(input), output_(output) {}

  bool is_readable() const override { return !input_.empty(); }
  bool is_writable() const override { return true; }
  ssize_t read(char* buffer, std::size_t size) override {
    const std::size_t count = input_.copy(buffer, size);
    input_.remove_prefix(count);
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* bytes, std::size_t size) override {
    output_.append(bytes, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return 0; }

 private:
  std::string_view input_;
  std::string& output_;
};

}  // namespace

class ResponseWriter::Engine : public httplib::Server {
 public:
  Engine() {
    set_pre_routing_handler([this](const httplib::Request&, httplib::Response& out) {
      out.status = response_->status;
      out.body = std::move(response_->body);
      for (const auto& [name, value] : response_->headers) out.set_header(name, value);
      return HandlerResponse::Handled;
    });
    // httplib would put the exception's text into a header.
    set_exception_handler(
        [](const httplib::Request&, httplib::Response& out, std::exception_ptr) { out.status = 500; });
    // The last word on the headers, after httplib has added its own.
    set_post_routing_handler([this](const httplib::Request&, httplib::Response& out) {
      out.headers.erase("Accept-Ranges");
      out.headers.erase("Connection");
      // RFC 9110, 8.6: a 204 has no length either.
      if (out.has_header("Transfer-Encoding") || out.status == 204) out.headers.erase("Content-Length");
      if (persistence_ == Persistence::Close) out.set_header("Connection", "close");
      if (persistence_ == Persistence::KeepAliveHttp10) out.set_header("Connection", "keep-alive");
    });
  }

  void write(Response& response, Part part, Persistence persistence, std::string& out) {
    response_ = &response;
    persistence_ = persistence;
    BufferStream stream(part == Part::Head ? "HEAD / HTTP/1.1\r\n\r\n" : "GET / HTTP/1.1\r\n\r\n", out);
    bool closed = false;
    // "Close" spares httplib its Keep-Alive header; the handler above has the say.
    process_request(stream, true, closed, nullptr);
  }

 private:
  Response* response_ = nullptr;
  Persistence persistence_ = Persistence::Close;
};

ResponseWriter::ResponseWriter() : engine_(std::make_unique<Engine>()) {}
ResponseWriter::~ResponseWriter() = default;

void ResponseWriter::write(Response response, Part part, Persistence persistence, std::string& out) {
  engine_->write(response, part, persistence, out);
}

}  // namespace ocp_mock::http
