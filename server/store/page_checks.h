// Database files that tell damaged pages from right ones.
// Enters: pages on their way to a file of SQLite's, or from it. Leaves: the same pages with their checks, and whether
// one is as it was written: it is not after a torn or mixed copy, a failing disk, another program that wrote to the
// file.
//
// A page ends with kPageCheckBytes, which SQLite leaves alone: the mark of its file, the same in all pages, and a sum
// over the page, its number and the mark. It is no signature: who wants to deceive can make one.
// Of this module only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ocp_mock {

// To be reserved (SQLITE_FCNTL_RESERVE_BYTES) in a new file before its first table. Other programs read it as usual.
inline constexpr int kPageCheckBytes = 16;

// The name of the VFS that writes such files: the system's, but that it puts mark and sum into each page of a main
// database. A connection writes a file from its first page on. They are read by Version::of_file(), which compares
// them.
const char* checked_vfs();

// Puts mark and sum into a page; the first page has the number 1.
void put_checks(char* page, std::size_t size, std::uint64_t number, std::uint64_t mark);

// Of a page that has one.
std::uint64_t mark_of(std::string_view page);

bool has_right_sum(std::string_view page, std::uint64_t number);

}  // namespace ocp_mock
