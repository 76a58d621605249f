#!/usr/bin/env bash
# Installs what is missing, builds the release and runs the server with the options given. Standard output is the
# server's alone.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

"$root/scripts/install_dependencies.sh"
(cd "$root" && cmake --log-level=WARNING --preset release -DBUILD_TESTING=OFF && cmake --build --preset release) >&2
exec "$root/build/release/ocp-mock-server" "$@"
