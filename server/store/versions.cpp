#include "store/versions.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "store/page_checks.h"

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;

// A change copies a chunk for each page that is far from the others, and a version all pointers to chunks; for a
// million rows both take some ten microseconds.
constexpr std::size_t kChunkPages = 512;
constexpr std::size_t kLargestBlock = 512;

constexpr const char* kVfs = "ocp_mock_versions";

// SQLite's own memory, so that what it counts is all that datasets take.
std::shared_ptr<char> memory_of(std::size_t bytes) {
  auto* const memory = static_cast<char*>(sqlite3_malloc64(bytes));
  if (memory == nullptr) throw std::bad_alloc();
  return {memory, sqlite3_free};
}

constexpr std::size_t kHeaderBytes = 100;

// See https://www.sqlite.org/fileformat2.html, 1.3: the size of a page is big-endian, and 1 is 65,536.
std::size_t page_size_of(const char* header) {
  const auto byte = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(header[i])}; };
  const std::size_t size = byte(16) << 8 | byte(17);
  return size == 1 ? 65536 : size;
}

}  // namespace

struct PageChunk {
  std::array<std::shared_ptr<const char>, kChunkPages> pages;
};

class MappedFile {
 public:
  explicit MappedFile(const fs::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) throw std::system_error(errno, std::generic_category());
    struct stat status {};
    if (::fstat(descriptor, &status) == 0) {
      size_ = static_cast<std::size_t>(status.st_size);
      bytes_ = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor, 0);
    }
    const int error = errno;
    ::close(descriptor);
    if (bytes_ == MAP_FAILED) throw std::system_error(error, std::generic_category());
    if (size_ < kHeaderBytes) return;
    page_size_ = page_size_of(static_cast<const char*>(bytes_));
    if (page_size_ <= kPageCheckBytes || size_ < page_size_) page_size_ = 0;
    if (page_size_ == 0) return;
    right_ = std::vector<std::atomic<std::uint64_t>>(pages() / 64 + 1);
    mark_ = mark_of(bytes_of(0));
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() {
    if (bytes_ != MAP_FAILED) ::munmap(bytes_, size_);
  }

  std::size_t page_size() const { return page_size_; }
  std::size_t pages() const { return page_size_ == 0 ? 0 : size_ / page_size_; }

  const char* page(std::size_t number) const {
    const std::string_view page = bytes_of(number);
    const std::uint64_t bit = std::uint64_t{1} << number % 64;
    std::atomic<std::uint64_t>& word = right_[number / 64];
    if ((word.load(std::memory_order_relaxed) & bit) == 0) {
      if (!has_right_sum(page, number + 1) || mark_of(page) != mark_) throw DamagedPage();
      word.fetch_or(bit, std::memory_order_relaxed);
    }
    return page.data();
  }

 private:
  std::string_view bytes_of(std::size_t number) const {
    return {static_cast<const char*>(bytes_) + number * page_size_, page_size_};
  }

  void* bytes_ = MAP_FAILED;
  std::size_t size_ = 0;
  std::size_t page_size_ = 0;
  std::uint64_t mark_ = 0;
  mutable std::vector<std::atomic<std::uint64_t>> right_;  // a bit a page that was checked
};

const char* PageTable::page(std::size_t number) const {
  if (number >= pages) return nullptr;
  if (const PageChunk* const chunk = chunks[number / kChunkPages].get()) {
    if (const char* const page = chunk->pages[number % kChunkPages].get()) return page;
  }
  return number < file_pages ? file->page(number) : nullptr;
}

std::shared_ptr<const Version> Version::of_file(const fs::path& file) {
  PageTable table;
  table.file = std::make_shared<const MappedFile>(file);
  table.page_size = table.file->page_size();
  table.pages = table.file_pages = table.file->pages();
  table.chunks.resize((table.pages + kChunkPages - 1) / kChunkPages);
  return std::make_shared<const Version>(std::move(table));
}

std::shared_ptr<const Version> Version::of_image(std::string_view bytes) {
  PageTable table;
  table.page_size = page_size_of(bytes.data());
  table.pages = bytes.size() / table.page_size;
  for (std::size_t page = 0; page < table.pages; ++page) {
    if (page % kChunkPages == 0) table.chunks.push_back(std::make_shared<PageChunk>());
    // Owns nothing.
    table.chunks.back()->pages[page % kChunkPages] = {std::shared_ptr<const char>(),
                                                      bytes.data() + page * table.page_size};
  }
  return std::make_shared<const Version>(std::move(table));
}

std::string Version::image() const {
  std::string bytes;
  bytes.reserve(table_.pages * table_.page_size);
  for (std::size_t page = 0; page < table_.pages; ++page) {
    if (const char* const known = table_.page(page)) {
      bytes.append(known, table_.page_size);
    } else {
      bytes.append(table_.page_size, '\0');
    }
  }
  return bytes;
}

Draft::Draft(const std::shared_ptr<const Version>& source) {
  if (!source) return;
  table_ = source->table();
  owned_chunks_.resize(table_.chunks.size());
  owned_pages_.resize(table_.pages);
}

std::shared_ptr<const Version> Draft::version() {
  owned_chunks_.assign(owned_chunks_.size(), false);
  owned_pages_.assign(owned_pages_.size(), false);
  return std::make_shared<const Version>(table_);
}

PageChunk& Draft::own_chunk(std::size_t chunk) {
  std::shared_ptr<PageChunk>& own = table_.chunks[chunk];
  if (!owned_chunks_[chunk]) {
    own = own ? std::make_shared<PageChunk>(*own) : std::make_shared<PageChunk>();
    owned_chunks_[chunk] = true;
  }
  return *own;
}

std::shared_ptr<char> Draft::new_page() {
  if (block_used_ == block_pages_) {
    block_pages_ = std::clamp<std::size_t>(new_pages_, 1, kLargestBlock);
    block_used_ = block_pages_;
    block_ = memory_of(block_pages_ * table_.page_size);
    block_used_ = 0;
  }
  ++new_pages_;
  return {block_, block_.get() + block_used_++ * table_.page_size};
}

void Draft::write(std::size_t number, const char* bytes, std::size_t size) {
  table_.page_size = size;
  const bool is_appended = number >= table_.pages;
  if (is_appended) {
    table_.pages = number + 1;
    table_.chunks.resize(number / kChunkPages + 1);
    owned_chunks_.resize(table_.chunks.size());
    owned_pages_.resize(table_.pages);
  }
  if (owned_pages_[number]) {
    // Nobody else has it yet.
    std::memcpy(const_cast<char*>(table_.page(number)), bytes, size);
    return;
  }
  // One that takes the place of another has memory of its own, so that it keeps no others alive.
  std::shared_ptr<char> page = is_appended ? new_page() : memory_of(size);
  std::memcpy(page.get(), bytes, size);
  own_chunk(number / kChunkPages).pages[number % kChunkPages] = std::move(page);
  owned_pages_[number] = true;
}

void Draft::truncate(std::size_t pages) {
  if (pages >= table_.pages) return;
  table_.pages = pages;
  table_.file_pages = std::min(table_.file_pages, pages);
  table_.chunks.resize((pages + kChunkPages - 1) / kChunkPages);
  owned_chunks_.resize(table_.chunks.size());
  owned_pages_.resize(pages);
  const std::size_t rest = pages % kChunkPages;
  if (rest == 0 || !table_.chunks.back()) return;
  auto& last = own_chunk(table_.chunks.size() - 1).pages;
  std::fill(last.begin() + static_cast<std::ptrdiff_t>(rest), last.end(), nullptr);
}

namespace {

// An open database. SQLite has the memory for it.
struct OpenTable {
  sqlite3_file file;  // first, as SQLite has it
  const PageTable* table;
  Draft* draft;  // null for a connection that only reads
};

OpenTable& open_table(sqlite3_file* file) { return *reinterpret_cast<OpenTable*>(file); }

// SQLite is C: nothing may be thrown through it.
template <typename Action>
int guarded(const Action& action) noexcept {
  try {
    return action();
  } catch (const DamagedPage&) {
    return SQLITE_CORRUPT;
  } catch (const std::exception&) {
    return SQLITE_NOMEM;
  }
}

int close(sqlite3_file*) { return SQLITE_OK; }

int read(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
  return guarded([&] {
    const PageTable& table = *open_table(file).table;
    auto* out = static_cast<char*>(to);
    auto place = static_cast<std::size_t>(offset);
    auto left = static_cast<std::size_t>(size);
    while (left > 0 && table.page_size != 0 && place / table.page_size < table.pages) {
      const std::size_t begin = place % table.page_size;
      const std::size_t part = std::min(left, table.page_size - begin);
      const char* const page = table.page(place / table.page_size);
      if (page != nullptr) {
        std::memcpy(out, page + begin, part);
      } else {
        std::memset(out, 0, part);
      }
      out += part;
      place += part;
      left -= part;
    }
    if (left == 0) return SQLITE_OK;
    std::memset(out, 0, left);
    return SQLITE_IOERR_SHORT_READ;
  });
}

int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  return guarded([&] {
    const OpenTable& open = open_table(file);
    const auto bytes = static_cast<std::size_t>(size);
    const auto place = static_cast<std::size_t>(offset);
    const std::size_t page_size = open.table->page_size == 0 ? bytes : open.table->page_size;
    if (open.draft == nullptr || bytes != page_size || place % page_size != 0) return SQLITE_IOERR_WRITE;
    open.draft->write(place / page_size, static_cast<const char*>(from), bytes);
    return SQLITE_OK;
  });
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  return guarded([&] {
    const OpenTable& open = open_table(file);
    if (open.draft == nullptr) return SQLITE_IOERR_TRUNCATE;
    if (open.table->page_size != 0) open.draft->truncate(static_cast<std::size_t>(size) / open.table->page_size);
    return SQLITE_OK;
  });
}

int sync(sqlite3_file*, int) { return SQLITE_OK; }

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  const PageTable& table = *open_table(file).table;
  *size = static_cast<sqlite3_int64>(table.pages * table.page_size);
  return SQLITE_OK;
}

// One connection writes and nobody reads, or all read and nobody writes.
int lock(sqlite3_file*, int) { return SQLITE_OK; }

int check_lock(sqlite3_file*, int* locked) {
  *locked = 0;
  return SQLITE_OK;
}

int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }

int sector_size(sqlite3_file*) { return 4096; }

int characteristics(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE | SQLITE_IOCAP_SAFE_APPEND | SQLITE_IOCAP_SEQUENTIAL;
}

// The page itself, which SQLite reads then without a copy.
int fetch(sqlite3_file* file, sqlite3_int64 offset, int size, void** bytes) {
  *bytes = nullptr;
  const OpenTable& open = open_table(file);
  if (open.draft != nullptr || static_cast<std::size_t>(size) != open.table->page_size) return SQLITE_OK;
  return guarded([&] {
    *bytes = const_cast<char*>(open.table->page(static_cast<std::size_t>(offset) / open.table->page_size));
    return SQLITE_OK;
  });
}

int unfetch(sqlite3_file*, sqlite3_int64, void*) { return SQLITE_OK; }

constexpr sqlite3_io_methods kMethods{
    3,           close,           read,    write,   truncate, sync,    file_size, lock,   lock, check_lock, control,
    sector_size, characteristics, nullptr, nullptr, nullptr,  nullptr, fetch,     unfetch};

sqlite3_vfs* system_vfs() {
  static sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
  if (vfs == nullptr) throw std::runtime_error("SQLite knows no file system");
  return vfs;
}

template <typename Object>
Object* named(const char* name, const char* parameter) {
  return reinterpret_cast<Object*>(static_cast<std::uintptr_t>(sqlite3_uri_int64(name, parameter, 0)));
}

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  // Of temporary files.
  if ((flags & SQLITE_OPEN_MAIN_DB) == 0) return system_vfs()->xOpen(system_vfs(), name, file, flags, out_flags);
  auto* const opened = new (file) OpenTable{{nullptr}, nullptr, named<Draft>(name, "draft")};
  const auto* const version = named<const Version>(name, "version");
  if (opened->draft == nullptr && version == nullptr) return SQLITE_CANTOPEN;
  opened->table = opened->draft != nullptr ? &opened->draft->table() : &version->table();
  opened->file.pMethods = &kMethods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

// There is nothing beside a database.
int access(sqlite3_vfs*, const char*, int, int* result) {
  *result = 0;
  return SQLITE_OK;
}

int full_name(sqlite3_vfs*, const char* name, int size, char* full) {
  sqlite3_snprintf(size, full, "%s", name);
  return SQLITE_OK;
}

const char* versions_vfs() {
  static sqlite3_vfs vfs = [] {
    sqlite3_initialize();
    sqlite3_vfs made = *system_vfs();
    made.zName = kVfs;
    made.szOsFile = std::max(made.szOsFile, static_cast<int>(sizeof(OpenTable)));
    made.xOpen = open;
    made.xAccess = access;
    made.xFullPathname = full_name;
    return made;
  }();
  static const int registered = sqlite3_vfs_register(&vfs, 0);
  if (registered != SQLITE_OK) throw std::runtime_error("SQLite does not take another file system");
  return vfs.zName;
}

std::string uri_of(const char* parameter, const void* object, std::string_view options) {
  return fmt::format("file:/{0}?vfs={1}&{0}={2}{3}", parameter, versions_vfs(),
                     reinterpret_cast<std::uintptr_t>(object), options);
}

}  // namespace

std::string Version::uri() const { return uri_of("version", this, "&immutable=1"); }

std::string Draft::uri() const { return uri_of("draft", this, ""); }

}  // namespace ocp_mock
