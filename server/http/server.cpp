#include "http/server.h"

#include "http/epoll_server.h"
#include "http/httplib_server.h"

namespace ocp_mock::http {

std::unique_ptr<Server> make_server(Engine engine, const ServerOptions& options) {
  if (engine == Engine::Httplib) return std::make_unique<HttplibServer>(options);
  return std::make_unique<EpollServer>(options);
}

}  // namespace ocp_mock::http
