#!/usr/bin/env bash
# Installs the Debian packages that the build needs, with --tests also those of the tests; those that are missing only.
# Needs root for that; with nothing missing it needs neither root nor a network.
set -euo pipefail

packages=(
  ca-certificates
  cmake
  g++
  libcli11-dev
  libcpp-httplib-dev
  libfmt-dev
  libspdlog-dev
  libsqlite3-dev
  libsqlitecpp-dev
  libssl-dev
  ninja-build
  nlohmann-json3-dev
  pkg-config
)
# The clients that are tried, and what the tests are built with.
test_packages=(
  curl
  doctest-dev
  libvalijson-dev
  nodejs
  python3
  python3-httpx
  python3-requests
)
case ${1:-} in
  "") ;;
  --tests) packages+=("${test_packages[@]}") ;;
  *) echo "usage: install_dependencies.sh [--tests]" >&2 && exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null; then
  echo "install_dependencies.sh: this is no Debian; install what README.md names under 'Building by hand'" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
  echo "install_dependencies.sh: as root, run: apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
echo "installing: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update >&2
apt-get install --yes --no-install-recommends "${missing[@]}" >&2
