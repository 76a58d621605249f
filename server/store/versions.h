// Databases of SQLite in memory that share the pages in which they do not differ.
// Input: the pages of a finished database, of a file or in memory, or what a connection writes. Output: a Version,
// which never changes. Knows pages only, not what is in them. Of this room only.
//
// A version is a table of pages in two levels: a new one begins as a copy of the upper level, which is some hundred
// pointers, and each page that is written takes the place of the shared one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ocp_mock {

class MappedFile;
struct PageChunk;

// Which bytes are on which page. Copies share all pages and the chunks of them.
struct PageTable {
  std::size_t page_size = 0;  // 0 until the first page is there
  std::size_t pages = 0;
  std::vector<std::shared_ptr<PageChunk>> chunks;  // null: all its pages are those of the file
  std::shared_ptr<const MappedFile> file;          // has what no chunk has; may be null
  std::size_t file_pages = 0;                      // how many of the file's pages still count

  // The page, from 0. Null where there is none. Throws DamagedPage for one of the file that is not as it was written.
  const char* page(std::size_t number) const;
};

struct DamagedPage {};

// Thread safety: all of it may be used by several threads at once, and no lock is taken.
class Version {
 public:
  explicit Version(PageTable table) : table_(std::move(table)) {}

  // Of a file that a builder has made, mapped. Its pages are checked when they are first used. The file must not
  // change; it may be replaced or removed. Throws std::system_error.
  static std::shared_ptr<const Version> of_file(const std::filesystem::path& file);

  // Of the bytes of image(), which are not copied and must outlive all versions that share pages with this one.
  static std::shared_ptr<const Version> of_image(std::string_view bytes);

  // All pages, one after the other.
  std::string image() const;

  const PageTable& table() const { return table_; }

  // For connections that only read, of which there may be several. The version must outlive them.
  std::string uri() const;

 private:
  const PageTable table_;
};

// A version that is being made. Requires: used by one thread at a time, by one connection.
class Draft {
 public:
  // Begins as a copy, or empty.
  explicit Draft(const std::shared_ptr<const Version>& source = nullptr);
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  // For the connection that writes. It needs no journal, because nobody else sees the draft.
  std::string uri() const;

  // What there is now. What is written later is not in it. Requires: no transaction is open.
  std::shared_ptr<const Version> version();

  const PageTable& table() const { return table_; }

  // Requires: size is that of all pages.
  void write(std::size_t number, const char* bytes, std::size_t size);

  void truncate(std::size_t pages);

 private:
  PageChunk& own_chunk(std::size_t chunk);
  std::shared_ptr<char> new_page();

  PageTable table_;
  std::vector<bool> owned_chunks_;  // which no version shares
  std::vector<bool> owned_pages_;
  // Pages behind the last are parts of larger pieces of memory, so that a load of many rows asks for memory seldom. One
  // that takes the place of another has memory of its own, so that it goes with the last version that has it.
  std::shared_ptr<char> block_;
  std::size_t block_pages_ = 0;
  std::size_t block_used_ = 0;
  std::size_t new_pages_ = 0;
};

}  // namespace ocp_mock
