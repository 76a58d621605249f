#include "client/exchange_log.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;

// A record is a line with the status and the sizes of the five texts that follow it: method, target and body of the
// request, headers and body of the answer.
constexpr std::size_t kTexts = 5;
constexpr std::size_t kLongestHead = 160;
constexpr std::size_t kMostOfTexts = std::size_t{1} << 31;

struct Head {
  int status = 0;
  std::array<std::size_t, kTexts> sizes{};
  std::size_t own_size = 0;

  std::size_t whole() const {
    std::size_t sum = own_size;
    for (const std::size_t size : sizes) sum += size;
    return sum;
  }
};

std::optional<Head> read_head(std::string_view text) {
  Head head;
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  const auto read = [&](auto& number, char after) {
    const auto [stop, error] = std::from_chars(at, end, number);
    if (error != std::errc{} || stop == end || *stop != after) return false;
    at = stop + 1;
    return true;
  };
  if (!read(head.status, ' ')) return std::nullopt;
  for (std::size_t i = 0; i < kTexts; ++i) {
    if (!read(head.sizes[i], i + 1 == kTexts ? '\n' : ' ') || head.sizes[i] > kMostOfTexts) return std::nullopt;
  }
  head.own_size = static_cast<std::size_t>(at - text.data());
  return head;
}

PassedExchange exchange_of(const Head& head, std::string_view text) {
  std::array<std::string_view, kTexts> texts;
  std::size_t at = head.own_size;
  for (std::size_t i = 0; i < kTexts; ++i) {
    texts[i] = text.substr(at, head.sizes[i]);
    at += head.sizes[i];
  }
  PassedExchange exchange{{std::string(texts[0]), std::string(texts[1]), {}, std::string(texts[2])},
                          {head.status, {}, std::string(texts[4])}};
  for (std::string_view rest = texts[3]; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find("\r\n") + 2);
    exchange.answer.headers.add_line(line, line.find(':'));
    rest.remove_prefix(line.size());
  }
  return exchange;
}

}  // namespace

ExchangeLog::ExchangeLog(fs::path file) : file_(std::move(file)), spool_(file_) {}

ExchangeLog::Place ExchangeLog::append(const PassedExchange& exchange) {
  const auto& [request, answer] = exchange;
  const std::string& headers = answer.headers.text();
  std::string text = fmt::format("{} {} {} {} {} {}\n", answer.status, request.method.size(), request.target.size(),
                                 request.body.size(), headers.size(), answer.body.size());
  text.append(request.method).append(request.target).append(request.body).append(headers).append(answer.body);
  return spool_.append(text);
}

PassedExchange ExchangeLog::read(Place place) const {
  const std::string text = spool_.read(place);
  const auto head = read_head(text);
  if (!head || head->whole() != text.size()) throw std::system_error(EIO, std::generic_category());
  return exchange_of(*head, text);
}

void ExchangeLog::each(const std::function<void(Place, const PassedExchange&)>& visit) {
  std::int64_t at = 0;
  while (at < spool_.size()) {
    const auto rest = static_cast<std::size_t>(spool_.size() - at);
    const auto head = read_head(spool_.read({at, std::min(rest, kLongestHead)}));
    if (!head || head->whole() > rest) break;
    const Place place{at, head->whole()};
    visit(place, exchange_of(*head, spool_.read(place)));
    at += static_cast<std::int64_t>(place.size);
  }
  spool_.cut(at);
}

void ExchangeLog::keep_only(std::span<Place* const> places) {
  fs::path made = file_;
  made += ".new";
  fs::remove(made);
  SpoolFile spool(made);
  std::vector<Place> moved;
  for (const Place* place : places) moved.push_back(spool.append(spool_.read(*place)));
  fs::rename(made, file_);
  spool_ = std::move(spool);
  for (std::size_t i = 0; i < moved.size(); ++i) *places[i] = moved[i];
}

void ExchangeLog::remove() {
  fs::remove(file_);
  clear();
}

}  // namespace ocp_mock
