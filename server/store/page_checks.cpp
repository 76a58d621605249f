#include "store/page_checks.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <random>
#include <stdexcept>
#include <vector>

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
  sqlite3_io_methods methods;        // the system's, but for those below
  const sqlite3_io_methods* system;  // in whose place they are
  bool only_reads;
  bool has_mark = false;
  std::uint64_t mark = 0;        // of the file
  int page_size = 0;             // 0 until page 1 is known
  int page_shift = 0;            // 2 to the power of this
  std::vector<bool> right = {};  // the mapped pages that were looked at; 0 is page 1
  std::vector<char> whole = {};  // a page of which a part was asked for

  bool is_right(std::string_view page, sqlite3_int64 number) {
    if (!has_right_sum(page, static_cast<std::uint64_t>(number))) return false;
    if (number == 1) {
      mark = mark_of(page);
      has_mark = true;
      page_size = static_cast<int>(page.size());
      page_shift = std::countr_zero(page.size());
    }
    return has_mark && mark_of(page) == mark;
  }
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

// SQLite is C: nothing may be thrown through it.
template <typename Action>
int guarded(const Action& action) noexcept {
  try {
    return action();
  } catch (const std::exception&) {
    return SQLITE_NOMEM;
  }
}

int close(sqlite3_file* file) {
  Checks& checks = checks_of(file);
  const int result = checks.system->xClose(file);
  checks.~Checks();
  return result;
}

int read(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
  return guarded([&] {
    Checks& checks = checks_of(file);
    const int result = checks.system->xRead(file, to, size, offset);
    if (result != SQLITE_OK && (result != SQLITE_IOERR_SHORT_READ || !checks.only_reads)) return result;
    if (is_page_size(size) && offset % size == 0) {
      const std::string_view page(static_cast<const char*>(to), static_cast<std::size_t>(size));
      return checks.is_right(page, offset / size + 1) ? SQLITE_OK : SQLITE_CORRUPT;
    }
    // SQLite looks at the header to learn the size of pages, and checks that page 1 has not changed since. Of others it
    // may want a part where a long value goes on in them.
    if (checks.page_size == 0 || offset < checks.page_size) return result;
    const sqlite3_int64 begin = offset / checks.page_size * checks.page_size;
    checks.whole.resize(static_cast<std::size_t>(checks.page_size));
    if (offset + size > begin + checks.page_size) return SQLITE_CORRUPT;
    const int whole = checks.system->xRead(file, checks.whole.data(), checks.page_size, begin);
    if (whole != SQLITE_OK) return whole == SQLITE_IOERR_SHORT_READ ? SQLITE_CORRUPT : whole;
    const std::string_view page(checks.whole.data(), checks.whole.size());
    if (!checks.is_right(page, begin / checks.page_size + 1)) return SQLITE_CORRUPT;
    std::memcpy(to, checks.whole.data() + (offset - begin), static_cast<std::size_t>(size));
    return SQLITE_OK;
  });
}

int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  return guarded([&] {
    Checks& checks = checks_of(file);
    if (!is_page_size(size) || offset % size != 0) return SQLITE_IOERR_WRITE;
    if (!checks.has_mark) {
      checks.mark = new_mark();
      checks.has_mark = true;
    }
    // The bytes are those of SQLite's page, and the end of that is ours.
    put_checks(static_cast<char*>(const_cast<void*>(from)), static_cast<std::size_t>(size),
               static_cast<std::uint64_t>(offset / size) + 1, checks.mark);
    return checks.system->xWrite(file, from, size, offset);
  });
}

// A page that is mapped and was not looked at yet.
int look_at(sqlite3_file* file, Checks& checks, std::size_t page, const char* mapped) {
  return guarded([&] {
    const auto size = static_cast<std::size_t>(checks.page_size);
    if (!checks.is_right({mapped, size}, static_cast<sqlite3_int64>(page) + 1)) return SQLITE_CORRUPT;
    if (page >= checks.right.size()) {
      sqlite3_int64 bytes = 0;
      checks.system->xFileSize(file, &bytes);
      checks.right.resize(std::max(page + 1, static_cast<std::size_t>(bytes) / size));
    }
    checks.right[page] = true;
    return SQLITE_OK;
  });
}

int fetch(sqlite3_file* file, sqlite3_int64 offset, int size, void** mapped) {
  Checks& checks = checks_of(file);
  *mapped = nullptr;
  if (size != checks.page_size || !checks.only_reads) return SQLITE_OK;  // it reads then
  const int result = checks.system->xFetch(file, offset, size, mapped);
  if (result != SQLITE_OK || *mapped == nullptr) return result;
  const auto page = static_cast<std::size_t>(offset >> checks.page_shift);
  if (page < checks.right.size() && checks.right[page]) return SQLITE_OK;
  const int found = look_at(file, checks, page, static_cast<const char*>(*mapped));
  if (found == SQLITE_OK) return SQLITE_OK;
  checks.system->xUnfetch(file, offset, *mapped);
  *mapped = nullptr;
  return found;
}

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int result = system_vfs()->xOpen(system_vfs(), name, file, flags, out_flags);
  if (result != SQLITE_OK || (flags & SQLITE_OPEN_MAIN_DB) == 0) return result;
  Checks* const checks =
      new (place_of_checks(file)) Checks{*file->pMethods, file->pMethods, (flags & SQLITE_OPEN_READONLY) != 0};
  checks->methods.xClose = close;
  checks->methods.xRead = read;
  checks->methods.xWrite = write;
  checks->methods.xFetch = fetch;
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
