#!/usr/bin/env bash
# Checks what others get of this project:
#   check.sh install BUILD_FOLDER   installs a build into an empty prefix and runs the binary from there
#   check.sh consumer               configures a project that has this one as a part of itself, and compiles its file
#   check.sh consumer --build       compiles and links all of it too, and runs it; that takes some minutes
#   check.sh image BUILD_FOLDER     runs the entry point and the health check of the Dockerfile as Docker would, without it
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
  image)
    build=$(realpath "${2:?the build folder is missing}")
    dockerfile=$source/../../Dockerfile
    # The values of the last stage, which is the image: ENV NAME=VALUE, and arrays of words.
    stage=$(sed -n '/^FROM/h; /^FROM/!H; ${x; p}' "$dockerfile")
    mapfile -t variables < <(sed -n 's/^ENV //p' <<<"$stage")
    words_of() { sed -n "s/^$1 *\(--.* CMD\)\? *\[\(.*\)\]\$/\2/p" <<<"$stage" | tr -d '",'; }
    read -ra entry_point < <(words_of ENTRYPOINT)
    read -ra health_check < <(words_of HEALTHCHECK)
    [ "${#entry_point[@]}" -gt 0 ] && [ "${#health_check[@]}" -gt 0 ] || fail "the Dockerfile does not say what to run"
    inside=(env --ignore-environment PATH="$build:$PATH" "${variables[@]}" OCP_MOCK_ADMIN_TOKEN=token OCP_MOCK_PORT=0
      OCP_MOCK_PORT_FILE="$folder/port" OCP_MOCK_LOG_LEVEL=warn)
    # No function: killing its shell would leave the server behind.
    "${inside[@]}" "${entry_point[@]}" >"$folder/ready" 2>"$folder/log" &
    server=$!
    trap 'kill "$server"; wait "$server" || true; rm -rf "$folder"' EXIT
    deadline=$((SECONDS + 10))
    until "${inside[@]}" "${health_check[@]}" 2>"$folder/health"; do
      [ "$SECONDS" -lt "$deadline" ] || fail "the health check fails: $(cat "$folder/health" "$folder/log")"
      sleep 0.05
    done
    # Another address of this machine stands for the outside.
    "${inside[@]}" "${health_check[@]}" "http://127.0.0.2:$(cat "$folder/port")" || fail "the server is only reached from inside"
    [ ! -s "$folder/log" ] || fail "the server warns: $(cat "$folder/log")"
    ;;
  *) fail "usage: check.sh install BUILD_FOLDER | consumer [--build] | image BUILD_FOLDER" ;;
esac
