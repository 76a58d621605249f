#!/usr/bin/env bash
# Installs what is missing, builds and runs every test: scripts/test.sh [PRESET], dev without a preset, asan and tsan
# with sanitizers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=${1:-dev}
case $preset in
  -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' scripts/test.sh && exit ;;
  dev | release | asan | tsan) [ $# -le 1 ] || { echo "usage: test.sh [PRESET]" >&2 && exit 2; } ;;
  *) echo "test.sh: '$preset' is no preset; the presets are dev, release, asan and tsan" >&2 && exit 2 ;;
esac

scripts/install_dependencies.sh --tests
scripts/configure.sh "$preset" -DBUILD_TESTING=ON
cmake --build --preset "$preset"
ctest --preset "$preset"
