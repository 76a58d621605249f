#!/usr/bin/env bash
# Checks what others get of this project:
#   check.sh install BUILD_FOLDER   installs a build into an empty prefix and runs the binary from there
#   check.sh consumer               configures a project that has this one as a part of itself, and compiles its file
#   check.sh consumer --build       compiles and links all of it too, and runs it; that takes some minutes
#   check.sh image BUILD_FOLDER     runs the entry point and the health check of the Dockerfile as Docker would, without it
#   check.sh image FILE             the same with the archive of an image, in a chroot that has its layer and nothing else
#   check.sh archive FILE [BUILD_FOLDER]
#                                   runs the archive in a chroot that has a static busybox and nothing else, and tells how
#                                   long it takes to start, and how long the build itself takes
#   check.sh archive FILE --older   runs it in a Debian 11 instead, whose C library is older; makes that with debootstrap
#   check.sh npm FILE               installs the package of npm from its file, and runs it by npx
#   check.sh deb FILE               installs the package in a new Debian, runs and removes it; makes that with debootstrap
# A chroot needs root, and BUSYBOX names the busybox, if it is not /bin/busybox.
set -euo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
# What debootstrap or a script of a package has mounted in a root may be the machine's own.
clean_up() {
  local mounted
  for mounted in $(cut -d' ' -f2 /proc/mounts | grep "^$folder/" | sort -r); do umount "$mounted" || umount --lazy "$mounted"; done
  rm -rf --one-file-system "$folder"
}
trap clean_up EXIT

fail() {
  echo "check.sh: $*" >&2
  exit 1
}

list='api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks?page=1&size=10'
basic='Authorization: Basic YWRtaW46c2VjcmV0' # admin:secret
example=$source/../../fixtures/logBackupTasks.json

need_root() {
  [ "$(id -u)" -eq 0 ] || fail "a chroot needs root"
}

case ${1:-} in
  install)
    build=${2:?the build folder is missing}
    cmake --install "$build" --prefix "$folder" >/dev/null
    version=$("$folder/bin/ocp-mock-server" --version)
    [ "$version" = "$("$build/ocp-mock-server" --version)" ] || fail "the installed binary says: $version"
    for file in doc/ocp-mock-server/{LICENSE,README.md,README.zh-CN.md,docs/zh-CN/README.md} \
      ocp-mock-server/{fixture.schema,admin.openapi}.json \
      man/man1/ocp-mock-server.1.gz bash-completion/completions/ocp-mock-server \
      zsh/site-functions/_ocp-mock-server fish/vendor_completions.d/ocp-mock-server.fish; do
      [ -s "$folder/share/$file" ] || fail "share/$file was not installed"
    done
    ;;
  consumer)
    cmake --log-level=WARNING -S "$source/consumer" -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Debug
    if [ "${2:-}" = --build ]; then
      cmake --build "$folder"
      "$folder/consumer" || fail "the consumer does not find OCP's example"
    else
      cmake --build "$folder" --target CMakeFiles/consumer.dir/main.cpp.o
    fi
    ;;
  image)
    what=$(realpath -e "${2:?the build folder or the archive is missing}")
    dockerfile=$source/../../Dockerfile
    # The values of the last stage, which is the image: ENV NAME=VALUE, and arrays of words.
    stage=$(sed -n '/^FROM/h; /^FROM/!H; ${x; p}' "$dockerfile")
    mapfile -t variables < <(sed -n 's/^ENV //p' <<<"$stage")
    words_of() { sed -n "s/^$1 *\(--.* CMD\)\? *\[\(.*\)\]\$/\2/p" <<<"$stage" | tr -d '",'; }
    read -ra entry_point < <(words_of ENTRYPOINT)
    read -ra health_check < <(words_of HEALTHCHECK)
    [ "${#entry_point[@]}" -gt 0 ] && [ "${#health_check[@]}" -gt 0 ] || fail "the Dockerfile does not say what to run"
    variables+=(OCP_MOCK_ADMIN_TOKEN=token OCP_MOCK_PORT=0 OCP_MOCK_LOG_LEVEL=warn)
    port_file=$folder/port
    if [ -d "$what" ]; then
      inside=(env --ignore-environment "${variables[@]}" PATH="$what:$PATH" OCP_MOCK_PORT_FILE="$port_file")
    else
      need_root
      layout=$folder/layout
      mkdir "$layout" "$folder/root"
      tar --extract --file "$what" --directory "$layout"
      # The digests say what the blobs are.
      (cd "$layout/blobs/sha256" && sha256sum --quiet --check <(for blob in *; do echo "$blob  $blob"; done)) ||
        fail "a blob has another digest"
      mapfile -t layers < <(python3 -c 'import json, sys; print(*json.load(sys.stdin)[0]["Layers"], sep="\n")' \
        <"$layout/manifest.json")
      for layer in "${layers[@]}"; do
        tar --extract --gzip --same-permissions --file "$layout/$layer" --directory "$folder/root"
      done
      [ -d "$folder/root/fixtures" ] || fail "the image has no folder for fixtures"
      chmod 755 "$folder" "$folder/root"
      user=$(sed -n 's/^USER //p' <<<"$stage")
      port_file=$folder/root/tmp/port
      inside=(env --ignore-environment "${variables[@]}" OCP_MOCK_PORT_FILE=/tmp/port
        "$(command -v chroot)" --userspec="$user:$user" "$folder/root")
    fi
    # No function: killing its shell would leave the server behind.
    "${inside[@]}" "${entry_point[@]}" >"$folder/ready" 2>"$folder/log" &
    server=$!
    trap 'kill "$server" || true; wait "$server" || true; clean_up' EXIT
    deadline=$((SECONDS + 10))
    until "${inside[@]}" "${health_check[@]}" 2>"$folder/health"; do
      [ "$SECONDS" -lt "$deadline" ] || fail "the health check fails: $(cat "$folder/health" "$folder/log")"
      sleep 0.05
    done
    # Another address of this machine stands for the outside.
    "${inside[@]}" "${health_check[@]}" "http://127.0.0.2:$(cat "$port_file")" || fail "the server is only reached from inside"
    [ ! -s "$folder/log" ] || fail "the server warns: $(cat "$folder/log")"
    ;;
  archive)
    archive=$(realpath -e "${2:?the archive is missing}")
    need_root
    busybox=${BUSYBOX:-/bin/busybox}
    [ -x "$busybox" ] && ! ldd "$busybox" >/dev/null 2>&1 || fail "there is no static busybox at $busybox; BUSYBOX names another"
    mkdir "$folder/root"
    if [ "${3:-}" = --older ]; then
      debootstrap --variant=minbase bullseye "$folder/root" >"$folder/log" || fail "$(tail -5 "$folder/log")"
      set -- "$1" "$2"
    fi
    # A blank in the path, and a link to the program.
    mkdir -p "$folder/root/any where"
    tar --extract --gzip --file "$archive" --directory "$folder/root/any where"
    name=$(ls "$folder/root/any where")
    cp "$busybox" "$folder/root/busybox"
    ln -s "any where/$name/bin/ocp-mock-server" "$folder/root/linked"
    inside=(env --ignore-environment "$(command -v chroot)" "$folder/root")
    ask="/busybox wget -q -O - --header '$basic' \"\$OCP_URL/$list\""
    for program in "/any where/$name/bin/ocp-mock-server" /linked; do
      "${inside[@]}" "$program" exec --frozen --pretty -- /busybox sh -c "$ask" | cmp - "$example" ||
        fail "$program does not answer OCP's example"
    done
    # What OpenSSL and the resolver look for is not there.
    "${inside[@]}" /linked exec --tls-self-signed -- /busybox sh -c '/linked healthcheck "$OCP_URL"' ||
      fail "no HTTPS in an empty root"
    code=0
    text=$("${inside[@]}" /linked --host no-such-host.invalid 2>&1) || code=$?
    [[ $code == 1 && $text == *no-such-host.invalid* ]] || fail "an unknown host ends with $code: $text"
    rm "$folder/root/any where/$name/lib/ocp-mock-server/ld-linux-x86-64.so.2"
    code=0
    text=$("${inside[@]}" /linked --version 2>&1) || code=$?
    [[ $code == 127 && $text == *"unpack the archive anew"* ]] || fail "without its loader it ends with $code: $text"

    mkdir "$folder/again"
    tar --extract --gzip --file "$archive" --directory "$folder/again" --strip-components=1
    [ -z "${3:-}" ] || /usr/bin/python3 - "$(realpath "$3")/ocp-mock-server" "$folder/again/bin/ocp-mock-server" <<'END'
import statistics, subprocess, sys, time
times = {program: [] for program in sys.argv[1:]}
for _ in range(40):
    for program, all_times in times.items():
        begin = time.perf_counter()
        server = subprocess.Popen([program, "--port", "0", "--log-level", "off"], stdout=subprocess.PIPE)
        server.stdout.readline()
        all_times.append((time.perf_counter() - begin) * 1000)
        server.kill()
        server.communicate()
print("from start to ready, median (fastest) of 40: build {:.1f} ({:.1f}) ms, archive {:.1f} ({:.1f}) ms".format(
    *(figure(all_times) for all_times in times.values() for figure in (statistics.median, min))))
END
    ;;
  npm)
    file=$(realpath -e "${2:?the package is missing}")
    cd "$folder"
    export HOME=$folder npm_config_update_notifier=false
    echo '{}' >package.json
    npm install --offline --no-audit --no-fund --loglevel=error "$file" >log || fail "npm install fails: $(cat log)"
    version=$(npx --offline ocp-mock-server --version)
    [[ $version == "ocp-mock-server "* ]] || fail "npx says: $version"
    npx --offline ocp-mock-server exec --frozen --pretty -- \
      sh -c "curl -sS --noproxy '*' -H '$basic' \"\$OCP_URL/$list\"" | cmp - "$example" || fail "npx does not answer OCP's example"
    code=0
    npx --offline ocp-mock-server exec -- sh -c 'exit 42' || code=$?
    [ "$code" = 42 ] || fail "the exit code is $code, not the command's"
    # What npx starts: by itself, so that a signal reaches it.
    launcher=node_modules/.bin/ocp-mock-server
    code=0
    "$launcher" exec -- sh -c 'kill -KILL $$' || code=$?
    [ "$code" = 137 ] || fail "the exit code of a killed command is $code"
    for signal in TERM INT KILL; do
      mkfifo ready
      "$launcher" --port 0 >ready 2>log &
      launched=$!
      exec 3<ready
      read -r line <&3
      [[ $line == '{"event":"ready"'* ]] || fail "the first line is: $line"
      pid=$(sed 's/.*"pid":\([0-9]*\).*/\1/' <<<"$line")
      [ "$(cat "/proc/$pid/comm")" = ocp-mock-server ] || fail "ps shows the server as $(cat "/proc/$pid/comm")"
      kill -s "$signal" "$launched"
      # The pipe ends with the server.
      read -r -t 20 line <&3 && fail "the server says: $line" || [ $? -le 128 ] || fail "SIG$signal does not end the server"
      exec 3<&-
      code=0
      wait "$launched" 2>/dev/null || code=$?
      [ "$signal" = KILL ] || [ "$code" = 0 ] || fail "after SIG$signal the exit code is $code"
      rm ready
    done
    ;;
  deb)
    file=$(realpath -e "${2:?the package is missing}")
    need_root
    root=$folder/root
    debootstrap --variant=minbase --include=curl bookworm "$root" >"$folder/log" || fail "$(tail -5 "$folder/log")"
    inside=(env --ignore-environment PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C
      "$(command -v chroot)" "$root")
    cp "$file" "$root/package.deb"
    files() { # without what apt and dpkg keep for themselves
      "${inside[@]}" find / -xdev ! -path '/var/lib/*' ! -path '/var/cache/*' ! -path '/var/log/*' ! -path '/proc/*' \
        ! -path '/dev/*' ! -path '/sys/*' ! -path '/package.deb' ! -path '/etc/ld.so.cache' | sort
    }
    "${inside[@]}" sh -c 'apt-get update && apt-get install --yes --no-install-recommends $(dpkg-deb --field /package.deb Depends |
      sed "s/ *([^)]*)//g; s/,/ /g")' >"$folder/log" 2>&1 || fail "$(cat "$folder/log")"
    files >"$folder/before"
    "${inside[@]}" dpkg --install /package.deb >"$folder/log" 2>&1 || fail "$(cat "$folder/log")"
    "${inside[@]}" ocp-mock-server exec --frozen --pretty -- sh -c "curl -sS -H '$basic' \"\$OCP_URL/$list\"" | cmp - "$example"
    for name in bin/ocp-mock-server lib/systemd/system/ocp-mock-server.service share/man/man1/ocp-mock-server.1.gz; do
      [ -s "$root/usr/$name" ] || fail "/usr/$name was not installed"
    done
    "${inside[@]}" dpkg --purge ocp-mock-server >"$folder/log" 2>&1 || fail "$(cat "$folder/log")"
    files | diff "$folder/before" - || fail "the package leaves a trace"
    ;;
  *) fail "usage: see the first lines of $source/check.sh" ;;
esac
