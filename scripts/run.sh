#!/usr/bin/env bash
# Installs what is missing, builds the release and runs the server: run.sh [OPTION_OF_THE_SERVER...]. Standard output is
# the server's alone; on a terminal the server ends its start with a request to try.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

case ${1:-} in
  -h | --help)
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    [ -x "$root/build/release/ocp-mock-server" ] || exit 0
    echo
    exec "$root/build/release/ocp-mock-server" --help
    ;;
esac
if [ -t 2 ] && [ ! -x "$root/build/release/ocp-mock-server" ]; then
  echo "run.sh: the first start installs what is missing and builds the server, which takes about two minutes" >&2
fi
"$root/scripts/install_dependencies.sh"
(cd "$root" && scripts/configure.sh release --log-level=WARNING -DBUILD_TESTING=OFF && cmake --build --preset release) >&2
exec "$root/build/release/ocp-mock-server" "$@"
