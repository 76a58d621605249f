#!/usr/bin/env bash
# Fails when a script does not say what it does, takes an argument that it does not know, or builds in a folder that was
# copied from another checkout.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")/../scripts" && pwd)
failed=0
complain() {
  echo "scripts_test.sh: $1" >&2
  failed=1
}

for script in "$scripts"/*.sh; do
  name=$(basename "$script")
  text=$("$script" --help 2>&1) && [[ $text == *"$name"* ]] || complain "$name --help says: $text"
  # Those hand their arguments on.
  if [[ $name == run.sh || $name == bench.sh ]]; then continue; fi
  text=$("$script" --nonsense 2>&1) && code=0 || code=$?
  [[ $code == 2 && $text == *"$name"* ]] || complain "$name --nonsense ends with $code and says: $text"
done

# A copied checkout, with programs that only note what they find.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir -p "$copy/bin" "$copy/scripts" "$copy/build/release"
cp "$scripts/run.sh" "$scripts/configure.sh" "$copy/scripts"
printf '#!/bin/sh\n' >"$copy/scripts/install_dependencies.sh"
cat >"$copy/bin/cmake" <<'END'
#!/bin/sh
[ "$1" = --preset ] || exit 0
[ -e build/release/CMakeCache.txt ] && echo "kept" || echo "made anew"
mkdir -p build/release
printf '#!/bin/sh\necho "$@"\n' >build/release/ocp-mock-server
chmod +x build/release/ocp-mock-server
END
chmod +x "$copy/bin/cmake" "$copy/scripts/install_dependencies.sh"
try() { # HOME_OF_THE_CACHE WHAT_BECOMES_OF_IT
  echo "CMAKE_HOME_DIRECTORY:INTERNAL=$1" >"$copy/build/release/CMakeCache.txt"
  text=$(PATH="$copy/bin:$PATH" "$copy/scripts/run.sh" --port 0 2>"$copy/log")
  [[ $text == "--port 0" ]] || complain "run.sh gave the server '$text'"
  grep -qx "$2" "$copy/log" || complain "a build folder of $1 was not $2: $(cat "$copy/log")"
}
try "$scripts/.." "made anew"
try "/does/not/exist" "made anew"
try "$copy" "kept"

# A tag says which version a package of its commit must have.
tagged=$copy/tagged
mkdir -p "$tagged/scripts" "$tagged/build" "$copy/out"
cp "$scripts/package.sh" "$tagged/scripts"
printf '#!/bin/sh\necho "ocp-mock-server 1.2.3"\n' >"$tagged/build/ocp-mock-server"
chmod +x "$tagged/build/ocp-mock-server"
git="git -C $tagged -c user.name=test -c user.email=test@localhost"
$git init --quiet
$git commit --quiet --allow-empty --message "a release"
for case in ":" "v1.2.3:" "v1.2.4:v1.2.4" "v1.2.3 v1.3.0 later:" "later:" "v1.2.30:v1.2.30"; do
  for tag in ${case%%:*}; do $git tag "$tag"; done
  # Nothing is there to pack, so that is the next thing that fails.
  text=$("$tagged/scripts/package.sh" deb "$copy/out" "$tagged/build" 2>&1) && complain "package.sh packs nothing"
  wanted="cpack fails"
  [ -z "${case#*:}" ] || wanted="the build is version 1.2.3, but this commit is tagged ${case#*:}"
  [[ $text == *"$wanted"* ]] || complain "package.sh with the tags '${case%%:*}' says: $text"
  $git tag | while read -r tag; do $git tag --delete "$tag" >/dev/null; done
done
exit $failed
