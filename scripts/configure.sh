#!/usr/bin/env bash
# Configures build/PRESET: configure.sh PRESET [CMAKE_OPTION...]. A build folder that was copied or moved here with its
# checkout, which CMake refuses, is made anew.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case ${1:-} in
  -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' scripts/configure.sh && exit ;;
  "" | -*) echo "usage: configure.sh PRESET [CMAKE_OPTION...]" >&2 && exit 2 ;;
esac

folder=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "build/$1/CMakeCache.txt" 2>/dev/null || true)
if [ -n "$folder" ] && ! [ "$folder" -ef . ]; then
  echo "configure.sh: build/$1 was made in $folder; it is made anew" >&2
  rm -rf "build/$1"
fi
exec cmake --preset "$@"
