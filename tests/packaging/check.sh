#!/usr/bin/env bash
# Checks what others get of this project:
#   check.sh install BUILD_FOLDER   installs a build into an empty prefix and runs the binary from there
#   check.sh consumer               configures a project that has this one as a part of itself, and compiles its file
#   check.sh consumer --build       compiles and links all of it too, and runs it; that takes some minutes
set -euo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
  echo "check.sh: $*" >&2
  exit 1
}

case ${1:-} in
  install)
    build=${2:?the build folder is missing}
    cmake --install "$build" --prefix "$folder" >/dev/null
    version=$("$folder/bin/ocp-mock-server" --version)
    [ "$version" = "$("$build/ocp-mock-server" --version)" ] || fail "the installed binary says: $version"
    for file in doc/ocp-mock-server/{LICENSE,README.md} ocp-mock-server/{fixture.schema,admin.openapi}.json; do
      [ -s "$folder/share/$file" ] || fail "share/$file was not installed"
    done
    ;;
  consumer)
    cmake --log-level=WARNING -S "$source/consumer" -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Debug
    if [ "${2:-}" = --build ]; then
      cmake --build "$folder"
      "$folder/consumer" || fail "the consumer does not find OCP's example"
    else
      cmake --build "$folder" --target CMakeFiles/consumer.dir/main.cpp.o
    fi
    ;;
  *) fail "usage: check.sh install BUILD_FOLDER | consumer [--build]" ;;
esac
