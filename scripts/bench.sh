#!/usr/bin/env bash
# Installs what is missing, builds the release and measures it beside other servers, on 127.0.0.1:
# scripts/bench.sh [quick|full] [--only NAME,...] [--seconds N]. Writes docs/benchmarks.md, unless --only is given.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case " $* " in *" --help "* | *" -h "*) exec python3 -B tests/bench/bench.py "$@" ;; esac
scripts/install_dependencies.sh
# What cannot be installed is not measured, and the table says so.
scripts/install_dependencies.sh --bench || echo "bench.sh: measuring without what could not be installed" >&2
(scripts/configure.sh release --log-level=WARNING -DBUILD_TESTING=OFF && cmake --build --preset release) >&2
exec python3 -B tests/bench/bench.py "$@"
