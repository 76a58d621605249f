#!/usr/bin/env bash
# run.sh NAME runs one of the examples: shell, pytest, node, junit, go or cpp. The server must be in OCP_URL, as
# ocp-mock-server exec puts it there. Exit status 77 if what it needs is not installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
usage() {
  echo "usage: run.sh shell|pytest|node|junit|go|cpp" >&2
  exit 2
}
need() { # PROGRAM PACKAGE
  if ! command -v "$1" >/dev/null; then
    echo "run.sh: $1 is missing; apt-get install $2" >&2
    exit 77
  fi
}
case ${1:-} in
  -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' run.sh && exit ;;
  shell | pytest | node | junit | go | cpp) [ $# -eq 1 ] || usage ;;
  *) usage ;;
esac
: "${OCP_URL:?is missing; run this behind: ocp-mock-server exec --}"
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
case $1 in
  shell) sh shell/backup_test.sh ;;
  pytest)
    /usr/bin/python3 -c 'import pytest' 2>/dev/null || { echo "run.sh: apt-get install python3-pytest" >&2 && exit 77; }
    /usr/bin/python3 -B -m pytest -q -p no:cacheprovider pytest
    ;;
  node) need node nodejs && node --test node/backup.test.mjs ;;
  junit)
    need javac default-jdk-headless
    console=/usr/share/java/junit-platform-console-standalone.jar
    [ -e "$console" ] || { echo "run.sh: apt-get install junit5" >&2 && exit 77; }
    javac -cp "$console" -d "$build" junit/BackupTest.java
    java -jar "$console" -cp "$build" --scan-classpath --disable-banner
    ;;
  go) need go golang-go && GOFLAGS=-mod=mod GOCACHE="$build" go test ./go/backup_test.go ;;
  cpp)
    # shellcheck disable=SC2046
    g++ -std=c++20 cpp/backup_test.cpp -o "$build/backup_test" $(pkg-config --cflags --libs cpp-httplib) -lpthread
    "$build/backup_test"
    ;;
esac
