#!/usr/bin/env bash
# Makes packages of the release build, for x86-64 Linux: package.sh archive|deb|npm|image|all [OUT [BUILD]]
#   archive  ocp-mock-server-VERSION-linux-x86_64.tar.gz: runs anywhere, with the loader and all libraries in it
#   deb      ocp-mock-server_VERSION_amd64.deb: for the Debian that it is made on
#   npm      ocp-mock-server-VERSION.tgz: a package of npm with the archive's binary
#   image    ocp-mock-server-VERSION-image.tar: what the Dockerfile makes, without an engine; docker load takes it
# They are written to OUT, or else to build/packages. The build is BUILD, or else build/release, which is built first. The
# same build gives the same bytes, but for the Debian package; times in them are SOURCE_DATE_EPOCH, or the last commit's.
#   package.sh root FOLDER ARCHIVE   makes what is in the image of an archive; the Dockerfile uses it
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

usage() {
  echo "usage: package.sh archive|deb|npm|image|all [OUT [BUILD]]" >&2
  exit 2
}
fail() {
  echo "package.sh: $*" >&2
  exit 1
}

# Nobody needs a manual in an image; the licences must be there.
make_root() { # FOLDER ARCHIVE
  mkdir -p "$1"
  tar --extract --gzip --file "$2" --directory "$1" --strip-components=1 --no-same-owner
  find "$1/share" -mindepth 1 -maxdepth 1 ! -name doc -exec rm -r {} +
  find "$1/share/doc/ocp-mock-server" -mindepth 1 -maxdepth 1 ! -name 'LICENSE' ! -name licences -exec rm -r {} +
  mkdir -p "$1/fixtures"
  mkdir -p -m 1777 "$1/tmp"
}

case ${1:-} in
  -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit ;;
  root) [ $# -eq 3 ] || usage && make_root "$2" "$3" && exit ;;
  archive | deb | npm | image | all) [ $# -le 3 ] || usage ;;
  *) usage ;;
esac
what=$1
out=$(realpath -m "${2:-$root/build/packages}")
if [ $# -eq 3 ]; then
  build=$(realpath "$3")
else
  build=$root/build/release
  (cd "$root" && scripts/configure.sh release --log-level=WARNING -DBUILD_TESTING=OFF && cmake --build --preset release) >&2
fi
[ "$(uname -m)" = x86_64 ] || fail "packages are made on x86_64; this is $(uname -m)"
[ -x "$build/ocp-mock-server" ] || fail "there is no $build/ocp-mock-server"

version=$("$build/ocp-mock-server" --version)
version=${version##* }
# A download must be of the commit that its version's tag names.
tags=$(git -C "$root" tag --points-at HEAD 'v[0-9]*' 2>/dev/null || true)
[ -z "$tags" ] || grep -qxF "v$version" <<<"$tags" || fail "the build is version $version, but this commit is tagged ${tags//$'\n'/, }"
name=ocp-mock-server-$version-linux-x86_64
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || echo 0)}
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$out"

# What Debian says of the licences of the packages that are in the binary or carried with it.
add_licences() { # FOLDER LIBRARY...
  local folder=$1 packages=(libcli11-dev libfmt-dev libspdlog-dev libsqlitecpp-dev nlohmann-json3-dev)
  local library path package
  shift
  for library in "$@"; do
    path=$(realpath "$library")
    # dpkg may know it by its path before /lib became a link to /usr/lib.
    package=$({ dpkg-query --search "$path" "${path#/usr}" 2>/dev/null || true; } | sed -n '1s/:.*//p')
    [ -n "$package" ] || fail "$library is of no Debian package, so nothing tells its licence"
    packages+=("$package")
  done
  mkdir -p "$folder/common"
  for package in $(printf '%s\n' "${packages[@]}" | sort -u); do
    cp -L "/usr/share/doc/$package/copyright" "$folder/$package" || fail "the licence of $package is not there"
  done
  local common
  for common in $(grep -rhoE '/usr/share/common-licenses/[A-Z]+-[0-9.]*[0-9]' "$folder" | sort -u); do
    cp -L "$common" "$folder/common/"
  done
}

archive() {
  local folder=$stage/$name lib=$stage/$name/lib/ocp-mock-server libraries
  [ -d "$folder" ] || {
    cmake --install "$build" --prefix "$folder" >/dev/null
    mkdir -p "$lib"
    mv "$folder/bin/ocp-mock-server" "$lib/"
    # The kernel wants an absolute path of the loader in a program, so a static one finds it.
    "${CXX:-c++}" -std=c++20 -Os -Wall -Wextra -fstack-protector-strong -static -s \
      -o "$folder/bin/ocp-mock-server" "$root/scripts/packaging/launcher.cpp"
    mapfile -t libraries < <(ldd "$lib/ocp-mock-server" | grep -oE '/[^ ]+')
    cp -L "${libraries[@]}" "$lib/"
    chmod 755 "$lib"/*
    add_licences "$folder/share/doc/ocp-mock-server/licences" "${libraries[@]}"
  }
  tar --create --directory "$stage" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
    --mode=u+w,go-w,a+rX "$name" | gzip -9n >"$out/$name.tar.gz"
  echo "$out/$name.tar.gz"
}

deb() {
  (cd "$stage" && cpack --config "$build/CPackConfig.cmake" -B "$stage/deb" >"$stage/cpack.log" 2>&1) ||
    fail "cpack fails: $(cat "$stage/cpack.log")"
  local file
  file=$(basename "$stage"/deb/*.deb)
  cp "$stage/deb/$file" "$out/"
  echo "$out/$file"
}

npm_package() {
  [ -d "$stage/$name" ] || archive >/dev/null
  local folder=$stage/npm
  mkdir -p "$folder/bin" "$folder/native/share/doc"
  sed "s/\"version\": \"[^\"]*\"/\"version\": \"$version\"/" "$root/scripts/packaging/npm/package.json" >"$folder/package.json"
  install -m 755 "$root/scripts/packaging/npm/ocp-mock-server.js" "$folder/bin/"
  cp "$root/LICENSE" "$folder/"
  cp "$root/scripts/packaging/npm/README.md" "$folder/"
  cp -r "$stage/$name/bin" "$stage/$name/lib" "$folder/native/"
  cp -r "$stage/$name/share/doc/ocp-mock-server/licences" "$folder/native/share/doc/"
  (cd "$folder" && npm pack --silent --offline --pack-destination "$out" >/dev/null)
  echo "$out/ocp-mock-server-$version.tgz"
}

image() {
  [ -d "$stage/$name" ] || archive >/dev/null
  make_root "$stage/root" "$out/$name.tar.gz"
  python3 -B "$root/scripts/packaging/write_image.py" "$root/Dockerfile" "$stage/root" "ocp-mock-server:$version" \
    "$out/ocp-mock-server-$version-image.tar"
  echo "$out/ocp-mock-server-$version-image.tar"
}

case $what in
  archive) archive ;;
  deb) deb ;;
  npm) npm_package ;;
  image) image ;;
  all) archive && deb && npm_package && image ;;
esac
