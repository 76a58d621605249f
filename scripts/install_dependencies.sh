#!/usr/bin/env bash
# install_dependencies.sh [--tests|--bench] installs the Debian packages that the build needs, with --tests those of the
# tests and with --bench those of the benchmark too; those that are missing only. Needs root for that; with nothing missing it needs neither root nor a
# network.
set -euo pipefail

# With make g++ optimises the parts of the binary side by side when it links them. curl sends the README's first request.
packages=(
  ca-certificates
  cmake
  curl
  g++
  libcli11-dev
  libcpp-httplib-dev
  libfmt-dev
  libspdlog-dev
  libsqlite3-dev
  libsqlitecpp-dev
  libssl-dev
  make
  ninja-build
  nlohmann-json3-dev
  pkg-config
  zlib1g-dev
)
# The clients that are tried, and what the tests are built with.
test_packages=(
  busybox-static
  debootstrap
  default-jdk-headless
  doctest-dev
  golang-go
  junit5
  nginx-light
  nodejs
  python3
  python3-httpx
  python3-jsonschema
  python3-pytest
  python3-requests
)
# What the benchmark measures with, and what it measures beside this server.
bench_packages=(
  binutils
  default-jre-headless
  nodejs
  npm
  python3
  sqlite3
  wrk
)
case ${1:-} in
  "") ;;
  --tests) packages+=("${test_packages[@]}") ;;
  --bench) packages+=("${test_packages[@]}" "${bench_packages[@]}") ;;
  -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit ;;
  *) echo "usage: install_dependencies.sh [--tests|--bench]" >&2 && exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null; then
  echo "install_dependencies.sh: this is no Debian; install what docs/building.md names" >&2
  exit 1
fi

# Other packages have these programs too: Node's own holds npm, and cannot be installed together with Debian's.
is_needed() {
  case $1 in
    default-jdk-headless) ! command -v javac >/dev/null ;;
    default-jre-headless) ! command -v java >/dev/null ;;
    golang-go) ! command -v go >/dev/null ;;
    npm) ! command -v npm >/dev/null ;;
    nginx-light) ! command -v nginx >/dev/null && [ ! -x /usr/sbin/nginx ] ;;
  esac
}

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || ! is_needed "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
  echo "install_dependencies.sh: as root, run: apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update >&2
# With --assume-no apt-get only tells what it would do, and fails.
size=$(LC_ALL=C apt-get install --assume-no --no-install-recommends "${missing[@]}" 2>/dev/null |
  sed -n 's/^After this operation, \(.*\) of additional disk space.*/\1/p' || true)
echo "installing${size:+ $size}: ${missing[*]}" >&2

# Debian would start an nginx that listens on all interfaces, now and after each boot.
policy=/usr/sbin/policy-rc.d
if [[ " ${missing[*]} " == *" nginx-light "* && ! -e $policy ]]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
install() {
  apt-get install --yes --no-install-recommends "$@" >&2 || return
  if [[ " $* " == *" nginx-light "* ]] && command -v systemctl >/dev/null; then systemctl disable nginx >&2 || true; fi
}
if [ "${1:-}" != --bench ]; then
  install "${missing[@]}"
  exit
fi
# One by one: the benchmark runs without what cannot be installed.
failed=0
for package in "${missing[@]}"; do
  if ! install "$package"; then
    echo "install_dependencies.sh: $package could not be installed" >&2
    failed=1
  fi
done
exit $failed
