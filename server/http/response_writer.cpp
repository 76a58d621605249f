#include "http/response_writer.h"

#include <httplib.h>

#include <algorithm>
#include <charconv>

namespace ocp_mock::http {
namespace {

constexpr std::size_t kLayoutsKept = 64;

// Stand around the index of a header in the place of its value; no header has them.
constexpr char kMark = '\1';
constexpr char kMarkEnd = '\2';

std::string mark(std::size_t index) { return kMark + std::to_string(index) + kMarkEnd; }

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
      if (!response_->body.empty()) out.body = "-";  // httplib names a type for what has none
      std::size_t index = 0;
      for (const auto& [name, value] : response_->headers) out.set_header(std::string(name), mark(index++));
      return HandlerResponse::Handled;
    });
    // httplib would put the exception's text into a header.
    set_exception_handler(
        [](const httplib::Request&, httplib::Response& out, std::exception_ptr) { out.status = 500; });
    // The last word on the headers, after httplib has added its own.
    set_post_routing_handler([this](const httplib::Request&, httplib::Response& out) {
      out.headers.erase("Accept-Ranges");
      out.headers.erase("Connection");
      out.headers.erase("Content-Length");
      // RFC 9110, 8.6: a 204 has no length either.
      if (!out.has_header("Transfer-Encoding") && out.status != 204) {
        out.set_header("Content-Length", mark(response_->headers.size()));
      }
      if (persistence_ == Persistence::Close) out.set_header("Connection", "close");
      if (persistence_ == Persistence::KeepAliveHttp10) out.set_header("Connection", "keep-alive");
    });
  }

  // The head of the response, with marks in the places of its values.
  std::string lay_out(const Response& response, Persistence persistence) {
    response_ = &response;
    persistence_ = persistence;
    std::string head;
    BufferStream stream("HEAD / HTTP/1.1\r\n\r\n", head);
    bool closed = false;
    // "Close" spares httplib its Keep-Alive header; the handler above has the say.
    process_request(stream, true, closed, nullptr);
    return head;
  }

 private:
  const Response* response_ = nullptr;
  Persistence persistence_ = Persistence::Close;
};

bool ResponseWriter::Layout::fits(const Response& response, Persistence wanted) const {
  return status == response.status && persistence == wanted && has_body != response.body.empty() &&
         std::ranges::equal(names, response.headers, {}, {}, &HeaderField::name);
}

ResponseWriter::ResponseWriter() : engine_(std::make_unique<Engine>()) {}
ResponseWriter::~ResponseWriter() = default;

void ResponseWriter::write(const Response& response, Part part, Persistence persistence, std::string& out) {
  const Layout& head = layout(response, persistence);
  for (const auto& [text, index] : head.pieces) {
    out += text;
    if (index == response.headers.size()) {
      out += std::to_string(response.body.size());
    } else {
      const std::string_view value = response.headers[index].value;
      out += value.substr(0, value.find_first_of("\r\n"));
    }
  }
  out += head.rest;
  if (part == Part::Whole) out += response.body;
}

const ResponseWriter::Layout& ResponseWriter::layout(const Response& response, Persistence persistence) {
  const auto known =
      std::ranges::find_if(layouts_, [&](const Layout& layout) { return layout.fits(response, persistence); });
  if (known != layouts_.end()) return *known;

  if (layouts_.size() >= kLayoutsKept) layouts_.clear();
  Layout made{response.status, persistence, !response.body.empty(), {}, {}, {}};
  for (const auto& [name, value] : response.headers) made.names.emplace_back(name);
  const std::string head = engine_->lay_out(response, persistence);
  std::size_t end = 0;
  for (std::size_t begin = head.find(kMark); begin != std::string::npos; begin = head.find(kMark, end)) {
    Piece piece{head.substr(end, begin - end), 0};
    end = head.find(kMarkEnd, begin) + 1;
    std::from_chars(head.data() + begin + 1, head.data() + end, piece.value);
    made.pieces.push_back(std::move(piece));
  }
  made.rest = head.substr(end);
  return layouts_.emplace_back(std::move(made));
}

}  // namespace ocp_mock::http
