#!/usr/bin/env bash
# Tries packages in new systems that debootstrap makes, and says how many seconds each takes: check_roots.sh FILE...
#   a .deb is installed in a Debian 12, run, and removed without a trace
#   an archive (.tar.gz) runs in a Debian 11, whose C library is older
# Needs root, and a mirror of Debian. Nothing stays mounted, and no root stays behind.
set -euo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
usage() {
  echo "usage: check_roots.sh FILE.deb|FILE.tar.gz..." >&2
  exit 2
}

[ $# -gt 0 ] || usage
case $1 in -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit ;; esac
for file in "$@"; do
  [[ $file == *.deb || $file == *.tar.gz ]] || usage
  [ -e "$file" ] || { echo "check_roots.sh: there is no $file" >&2 && exit 1; }
done
for file in "$@"; do
  begin=$SECONDS
  case $file in
    *.deb)
      "$source/check.sh" deb "$file"
      where="a Debian 12"
      ;;
    *)
      "$source/check.sh" archive "$file" --older
      where="a Debian 11"
      ;;
  esac
  echo "$(basename "$file") runs in $where: $((SECONDS - begin)) s"
done
