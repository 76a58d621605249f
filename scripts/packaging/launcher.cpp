// What people start of the relocatable archive: a static program that runs the server with the loader and the libraries
// that the archive carries, wherever it was unpacked to.
// Input: argv and the environment, which the server gets as they are. Output: none; the server takes its place.
#include <sys/auxv.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace {

constexpr char kFolder[] = "/lib/ocp-mock-server";
constexpr char kLoader[] = "/ld-linux-x86-64.so.2";
constexpr char kServer[] = "/ocp-mock-server";

[[noreturn]] void give_up(const char* what, const char* path) {
  std::fprintf(stderr, "ocp-mock-server: %s %s: %s; unpack the archive anew, and keep its folders together\n", what,
               path, std::strerror(errno));
  std::exit(errno == ENOENT ? 127 : 126);
}

}  // namespace

int main(int argc, char** argv) {
  // Links lead to the file itself. Where /proc is missing, the kernel still tells the path that was run.
  char self[PATH_MAX];
  const ssize_t length = ::readlink("/proc/self/exe", self, sizeof self - 1);
  if (length > 0) {
    self[length] = '\0';
  } else {
    const char* const path = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
    if (path == nullptr || ::realpath(path, self) == nullptr) give_up("cannot find", path == nullptr ? "itself" : path);
  }
  // From PREFIX/bin/ocp-mock-server to PREFIX.
  for (int i = 0; i < 2; ++i) {
    if (char* const slash = std::strrchr(self, '/')) *slash = '\0';
  }

  char folder[sizeof self + sizeof kFolder];
  char loader[sizeof folder + sizeof kLoader];
  char server[sizeof folder + sizeof kServer];
  std::snprintf(folder, sizeof folder, "%s%s", self, kFolder);
  std::snprintf(loader, sizeof loader, "%s%s", folder, kLoader);
  std::snprintf(server, sizeof server, "%s%s", folder, kServer);

  char name[] = "ocp-mock-server";
  char argv0_flag[] = "--argv0";
  char path_flag[] = "--library-path";
  char** const words = static_cast<char**>(std::calloc(static_cast<std::size_t>(argc) + 7, sizeof(char*)));
  if (words == nullptr) give_up("cannot run", server);
  int count = 0;
  for (char* word : {loader, argv0_flag, argc > 0 ? argv[0] : name, path_flag, folder, server}) words[count++] = word;
  for (int i = 1; i < argc; ++i) words[count++] = argv[i];
  ::execv(loader, words);
  give_up("cannot run", loader);
}
