#!/usr/bin/env bash
# Seconds from a download, or a clone, to the first answer: measure_first_answer.sh [PACKAGES] WAY...
#   archive  unpack it, start it
#   npm      npm install of the file in an empty folder, without a network; npx
#   deb      apt-get install of the file in a new Debian 12, which debootstrap makes before; needs root and a mirror
#   source   git clone of this checkout's commit, scripts/run.sh; the packages of the build are installed
# PACKAGES is the folder that scripts/package.sh has written to; build/packages if it is not given. The answer is one that
# curl gets of the list of the README. Each way is gone once: let the machine be idle.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
usage() {
  echo "usage: measure_first_answer.sh [PACKAGES] archive|npm|deb|source..." >&2
  exit 2
}
fail() {
  echo "measure_first_answer.sh: $*" >&2
  exit 1
}

case ${1:-} in -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit ;; esac
packages=$root/build/packages
if [ -d "${1:-}" ]; then
  packages=$(realpath "$1")
  shift
fi
[ $# -gt 0 ] || usage
for way in "$@"; do
  case $way in archive | npm | deb | source) ;; *) usage ;; esac
done

folder=$(mktemp -d)
clean_up() {
  local mounted
  for mounted in $(cut -d' ' -f2 /proc/mounts | grep "^$folder/" | sort -r); do umount "$mounted" || umount --lazy "$mounted"; done
  rm -rf --one-file-system "$folder"
}
trap clean_up EXIT

file_of() { # PATTERN
  local files=("$packages"/$1)
  [ -e "${files[0]}" ] || fail "there is no $1 in $packages; scripts/package.sh makes it"
  [ ${#files[@]} -eq 1 ] || fail "there are several $1 in $packages"
  echo "${files[0]}"
}

# A command of exec: the time of its end is that of the answer.
list='api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks'
ask="curl -sSf --noproxy '*' -u admin:secret \"\$OCP_URL/$list\" | grep -q totalElements && date +%s.%N"

go() { # WAY
  case $1 in
    archive)
      tar -xzf "$(file_of '*-linux-x86_64.tar.gz')"
      ./ocp-mock-server-*/bin/ocp-mock-server exec -- sh -c "$ask"
      ;;
    npm)
      npm install --offline --no-audit --no-fund --silent "$(file_of '*[0-9].tgz')" >&2
      npx --offline ocp-mock-server exec -- sh -c "$ask"
      ;;
    deb)
      env --ignore-environment PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C chroot new \
        sh -c 'apt-get install --yes --no-install-recommends ./package.deb >&2 && exec ocp-mock-server exec -- sh -c "$0"' "$ask"
      ;;
    source)
      git clone --quiet "$root" clone
      env --unset=CMAKE_CXX_COMPILER_LAUNCHER clone/scripts/run.sh exec -- sh -c "$ask"
      ;;
  esac
}

prepare() { # WAY
  [ "$1" = deb ] || return 0
  local deb
  deb=$(file_of '*_amd64.deb')
  [ "$(id -u)" -eq 0 ] || fail "deb needs root"
  debootstrap --variant=minbase --include=curl bookworm new >log || fail "$(tail -5 log)"
  cp "$deb" new/package.deb
  chroot new apt-get -qq update
}

for way in "$@"; do
  mkdir "$folder/$way"
  cd "$folder/$way"
  prepare "$way"
  begin=$(date +%s.%N)
  end=$(go "$way" 2>log | tail -n 1)
  [[ $end =~ ^[0-9]+\.[0-9]+$ ]] || fail "$way gives no answer: $(tail -5 log)"
  printf '%-8s %7.1f s\n' "$way" "$(echo "$end $begin" | awk '{print $1 - $2}')"
done
