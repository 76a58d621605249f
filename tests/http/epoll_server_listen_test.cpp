// Where the epoll server listens.
#include "http/epoll_server.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "echo_server.h"
#include "socket_client.h"

using namespace ocp_mock::http;
using namespace ocp_mock::test;
using namespace std::chrono_literals;

TEST_CASE("epoll server: two servers never share a port") {
  EchoServer first;
  try {
    EpollServer second({"127.0.0.1", first.port(), 2, {}, 1000, 3s});
    FAIL("the port was given twice");
  } catch (const std::runtime_error& error) {
    CHECK(std::string(error.what()) == "port " + std::to_string(first.port()) +
                                           " of host 127.0.0.1 is in use by another process; choose another with "
                                           "--port, or --port 0 for a free one");
  }
}

TEST_CASE("epoll server: a host that is none is said") {
  CHECK_THROWS_WITH_AS(EpollServer({"256.0.0.1", 0, 2, {}, 1000, 3s}), doctest::Contains("256.0.0.1"),
                       std::runtime_error);
}

TEST_CASE("epoll server: of two servers that have taken a port, one can listen") {
  EpollServer first({"127.0.0.1", 0, 2, {}, 1000, 3s});
  EpollServer second({"127.0.0.1", first.port(), 2, {}, 1000, 3s});
  first.start(echo);
  CHECK_THROWS_WITH_AS(second.start(echo), doctest::Contains("is in use by another process"), std::runtime_error);
}

TEST_CASE("epoll server: it listens on all addresses of its host, on one port, until it stops") {
  std::vector<std::string> names{"127.0.0.1", "127.0.0.2"};
  if (has_ipv6()) names.insert(names.begin(), "::1");
  std::vector<sockaddr_storage> addresses;
  for (const std::string& name : names) addresses.push_back(socket_address(name, 0));
  std::string warnings;
  const auto warn = [&](const std::string& text) { warnings += text; };
  EpollServer server({"name", 0, 2, {}, 1000, 3s, warn}, Listener("name", 0, addresses));
  for (const std::string& name : names) CHECK_THROWS_WITH(SocketClient(server.port(), name), "cannot connect");
  server.start(echo);
  CHECK(server.url() == (has_ipv6() ? "http://[::1]:" : "http://127.0.0.1:") + std::to_string(server.port()));
  std::vector<std::unique_ptr<SocketClient>> clients;
  for (int i = 0; i < 10; ++i) {
    for (const std::string& name : names) {
      clients.push_back(std::make_unique<SocketClient>(server.port(), name));
      clients.back()->send(get("/" + name));
      CHECK(clients.back()->read_answer() == answer("GET /" + name));
    }
  }
  server.stop();
  for (const auto& client : clients) CHECK(client->read_to_end().empty());
  for (const std::string& name : names) CHECK_THROWS_WITH(SocketClient(server.port(), name), "cannot connect");
  CHECK(warnings.empty());
}

TEST_CASE("epoll server: an address that the machine does not have is passed over, unless none is left") {
  // An address of documentation (RFC 5737), which no machine has.
  const sockaddr_storage here = socket_address("127.0.0.1", 0);
  const sockaddr_storage elsewhere = socket_address("192.0.2.1", 0);
  for (const auto& addresses : {std::vector{here, elsewhere}, std::vector{elsewhere, here}}) {
    std::string warnings;
    const auto warn = [&](const std::string& text) { warnings += text; };
    EpollServer server({"name", 0, 2, {}, 1000, 3s, warn}, Listener("name", 0, addresses));
    server.start(echo);
    SocketClient client(server.port());
    client.send(get("/"));
    CHECK(client.read_answer() == answer("GET /"));
    CHECK(warnings.ends_with(" of host name (192.0.2.1) is ignored: Cannot assign requested address"));
  }
  CHECK_THROWS_WITH(Listener("name", 8080, {elsewhere}),
                    "cannot listen on port 8080 of host name (192.0.2.1): Cannot assign requested address");
  CHECK_THROWS_WITH(Listener("192.0.2.1", 8080, {elsewhere}),
                    "cannot listen on port 8080 of host 192.0.2.1: Cannot assign requested address");
}

TEST_CASE("epoll server: of a port that is in use on one address the message names the address") {
  Listener first("127.0.0.2", 0, {socket_address("127.0.0.2", 0)});
  first.listen();
  const std::vector<sockaddr_storage> both{socket_address("127.0.0.1", 0), socket_address("127.0.0.2", 0)};
  CHECK_THROWS_WITH(Listener("name", first.port(), both),
                    ("port " + std::to_string(first.port()) +
                     " of host name (127.0.0.2) is in use by another process; choose another with --port, or --port 0 "
                     "for a free one")
                        .c_str());
}

TEST_CASE("epoll server: port 0 takes a port that is free on all addresses") {
  const sockaddr_storage second = socket_address("127.0.0.2", 0);
  const std::vector<sockaddr_storage> both{socket_address("127.0.0.1", 0), second};
  // Enough for one choice in thirty or so to meet one of them.
  std::vector<Listener> taken;
  for (int i = 0; i < 1000; ++i) {
    taken.emplace_back("127.0.0.2", 0, std::vector{second});
    taken.back().listen();
  }
  for (int i = 0; i < 200; ++i) {
    Listener listener("name", 0, both);
    REQUIRE(listener.size() == 2);
    listener.listen();
  }
}

TEST_CASE("epoll server: the addresses of a host are those of the resolver, none twice") {
  const auto texts = [](const std::string& host) {
    std::vector<std::string> found;
    for (const sockaddr_storage& address : addresses_of(host)) found.push_back(address_text(address));
    return found;
  };
  CHECK(texts("127.0.0.1") == std::vector<std::string>{"127.0.0.1"});
  CHECK(texts("::1") == std::vector<std::string>{"::1"});
  CHECK(texts("[::1]") == std::vector<std::string>{"::1"});
  CHECK(texts("::") == std::vector<std::string>{"::"});
  std::vector<std::string> local = texts("localhost");
  CHECK(std::ranges::find(local, "127.0.0.1") != local.end());
  std::ranges::sort(local);
  CHECK(std::ranges::adjacent_find(local) == local.end());
  CHECK_THROWS_WITH(addresses_of("no.such.host.invalid"),
                    doctest::Contains("cannot find an address for host no.such.host.invalid: "));
}

TEST_CASE("epoll server: before it is started connections are refused") {
  EpollServer server({"127.0.0.1", 0, 2, {}, 1000, 3s});
  CHECK_THROWS_WITH(SocketClient(server.port()), "cannot connect");
  server.start(echo);
  SocketClient client(server.port());
  client.send(get("/"));
  CHECK(client.read_answer() == answer("GET /"));
}

TEST_CASE("http server: whether only this machine reaches it is told by its addresses, not by the host's text") {
  const std::pair<std::string, bool> cases[] = {
      {"127.0.0.1", true}, {"2130706433", true}, {"127.3.2.1", true}, {"0.0.0.0", false}, {"0", false},
  };
  for (const auto& [host, is_loopback] : cases) {
    CAPTURE(host);
    ServerOptions options;
    options.host = host;
    CHECK(EpollServer(options).is_loopback() == is_loopback);
  }
}
