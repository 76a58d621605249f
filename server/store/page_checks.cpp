#include "store/page_checks.h"

#include <sqlite3.h>

#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <random>
#include <stdexcept>

namespace ocp_mock {
namespace {

constexpr std::size_t kSumBytes = 8;
constexpr int kSmallestPage = 512;
constexpr int kLargestPage = 65536;

// Little-endian, so that a file may move to another machine.
std::uint64_t ordered(std::uint64_t word) {
  if constexpr (std::endian::native == std::endian::big) return __builtin_bswap64(word);
  return word;
}

std::uint64_t load(const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return ordered(word);
}

void store(char* bytes, std::uint64_t word) {
  word = ordered(word);
  std::memcpy(bytes, &word, sizeof word);
}

// For one sum each word gives another result, and for one word each sum does: damage within one word always shows.
std::uint64_t mix(std::uint64_t sum, std::uint64_t word) { return std::rotl((sum ^ word) * 0x9E3779B97F4A7C15, 29); }

// Over all that is before the sum. Four sums side by side, because a multiplication waits for the one before.
std::uint64_t sum_of(std::string_view page, std::uint64_t number) {
  constexpr std::size_t kSums = 4;
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  std::array<std::uint64_t, kSums> sums{number, ~number, number << 32, ~number << 32};
  const std::size_t words = (page.size() - kSumBytes) / kWord;
  const char* next = page.data();
  for (std::size_t left = words / kSums; left > 0; --left) {
    for (std::uint64_t& sum : sums) {
      sum = mix(sum, load(next));
      next += kWord;
    }
  }
  for (std::size_t i = 0; i < words % kSums; ++i, next += kWord) sums[i] = mix(sums[i], load(next));
  std::uint64_t all = number;
  for (const std::uint64_t sum : sums) all = mix(all, sum);
  return all ^ all >> 32;
}

std::uint64_t new_mark() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

bool is_page_size(sqlite3_int64 size) {
  return size >= kSmallestPage && size <= kLargestPage && std::has_single_bit(static_cast<std::uint64_t>(size));
}

// What a file of SQLite's has more here: it stands behind that of the system's VFS in the same piece of memory.
struct Checks {
  sqlite3_io_methods methods;        // the system's, but for xWrite and xClose
  const sqlite3_io_methods* system;  // in whose place they are
  std::uint64_t mark;                // of the file
};

sqlite3_vfs* system_vfs() {
  static sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
  if (vfs == nullptr) throw std::runtime_error("SQLite knows no file system");
  return vfs;
}

std::size_t bytes_before_checks() {
  static const auto size = static_cast<std::size_t>(system_vfs()->szOsFile);
  return (size + alignof(Checks) - 1) / alignof(Checks) * alignof(Checks);
}

void* place_of_checks(sqlite3_file* file) { return reinterpret_cast<char*>(file) + bytes_before_checks(); }

Checks& checks_of(sqlite3_file* file) { return *std::launder(static_cast<Checks*>(place_of_checks(file))); }

int close(sqlite3_file* file) {
  Checks& checks = checks_of(file);
  const int result = checks.system->xClose(file);
  checks.~Checks();
  return result;
}

int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  Checks& checks = checks_of(file);
  if (!is_page_size(size) || offset % size != 0) return SQLITE_IOERR_WRITE;
  // The bytes are those of SQLite's page, and the end of that is ours.
  put_checks(static_cast<char*>(const_cast<void*>(from)), static_cast<std::size_t>(size),
             static_cast<std::uint64_t>(offset / size) + 1, checks.mark);
  return checks.system->xWrite(file, from, size, offset);
}

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int result = system_vfs()->xOpen(system_vfs(), name, file, flags, out_flags);
  if (result != SQLITE_OK || (flags & SQLITE_OPEN_MAIN_DB) == 0) return result;
  Checks* checks = nullptr;
  // SQLite is C: nothing may be thrown through it.
  try {
    checks = new (place_of_checks(file)) Checks{*file->pMethods, file->pMethods, new_mark()};
  } catch (const std::exception&) {
    file->pMethods->xClose(file);
    file->pMethods = nullptr;
    return SQLITE_IOERR;
  }
  checks->methods.xClose = close;
  checks->methods.xWrite = write;
  file->pMethods = &checks->methods;
  return SQLITE_OK;
}

}  // namespace

const char* checked_vfs() {
  static sqlite3_vfs vfs = [] {
    sqlite3_initialize();
    sqlite3_vfs made = *system_vfs();
    made.zName = "ocp_mock_checked";
    made.szOsFile = static_cast<int>(bytes_before_checks() + sizeof(Checks));
    made.xOpen = open;
    return made;
  }();
  static const int registered = sqlite3_vfs_register(&vfs, 0);
  if (registered != SQLITE_OK) throw std::runtime_error("SQLite does not take another file system");
  return vfs.zName;
}

void put_checks(char* page, std::size_t size, std::uint64_t number, std::uint64_t mark) {
  store(page + size - kPageCheckBytes, mark);
  store(page + size - kSumBytes, sum_of({page, size}, number));
}

std::uint64_t mark_of(std::string_view page) { return load(page.data() + page.size() - kPageCheckBytes); }

bool has_right_sum(std::string_view page, std::uint64_t number) {
  return load(page.data() + page.size() - kSumBytes) == sum_of(page, number);
}

}  // namespace ocp_mock
