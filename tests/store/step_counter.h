// How much of a dataset is read, without a clock.
#pragma once

#include <doctest/doctest.h>
#include <sqlite3.h>

namespace ocp_mock::test {

// Counts the steps of SQLite's machine in all connections that are opened while it lives, by SQLite's own counters.
class StepCounter {
 public:
  StepCounter() { REQUIRE(sqlite3_auto_extension(reinterpret_cast<void (*)()>(attach)) == SQLITE_OK); }
  StepCounter(const StepCounter&) = delete;
  StepCounter& operator=(const StepCounter&) = delete;
  ~StepCounter() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(attach)); }

  // Those of the action.
  template <typename Action>
  static int of(const Action& action) {
    steps() = 0;
    action();
    return steps();
  }

 private:
  static int& steps() {
    static int steps = 0;
    return steps;
  }

  static int attach(sqlite3* database, char**, const sqlite3_api_routines*) {
    return sqlite3_trace_v2(database, SQLITE_TRACE_PROFILE, add, nullptr);
  }

  static int add(unsigned, void*, void* statement, void*) {
    steps() += sqlite3_stmt_status(static_cast<sqlite3_stmt*>(statement), SQLITE_STMTSTATUS_VM_STEP, 1);
    return 0;
  }
};

}  // namespace ocp_mock::test
