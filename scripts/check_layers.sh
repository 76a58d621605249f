#!/usr/bin/env bash
# Fails when a file under server/ includes what its room may not know. Each room lists the rooms it may include; a
# file at the top of server/ is a room of its own. See ARCHITECTURE.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../server"

declare -A allowed=(
  [ascii]=""
  [headers]="ascii"
  [nearest]="ascii"
  [http]="ascii headers http"
  [ocp]="ascii headers nearest ocp"
  [credentials]="ocp store text_file credentials"
  [log_sink]="log_sink"
  [stop_signal]="stop_signal"
  [temporary_file]="temporary_file"
  [text_file]="temporary_file text_file"
  [store]="ascii nearest ocp store embedded temporary_file"
  [cli]="ascii nearest http ocp cli embedded"
  [control]="ascii headers nearest http ocp store control embedded"
  [app]="ascii headers http ocp control app"
  [watcher]="http store watcher"
  [healthcheck]="http healthcheck"
  [service]="store cli control app watcher text_file service"
  [commands]="http ocp store cli app credentials embedded commands healthcheck log_sink service stop_signal text_file"
  [main]="cli commands"
)
# A library that has one room, and the files that may include it.
declare -A owners=(
  ["httplib.h"]="http/response_writer.cpp"
  ["SQLiteCpp/"]="store/database.h"
  ["sqlite3.h"]="store/database.h store/dataset_builder.cpp store/ordering.cpp store/page_checks.cpp"
  ["nlohmann/"]="store/fixture_json.cpp"
  ["CLI/"]="cli/options.cpp"
  ["openssl/"]="ocp/digest.cpp healthcheck.cpp http/certificate.cpp http/stream.cpp http/tls.cpp"
  ["spdlog/"]="app.cpp service.cpp commands.cpp log_sink.h log_sink.cpp"
)

failed=0
complain() {
  echo "check_layers.sh: server/$1 must not include $2" >&2
  failed=1
}

while IFS=: read -r file include; do
  room=${file%%/*}
  room=${room%%.*}
  if [[ $include == \"* ]]; then
    path=${include//\"/}
    target=${path%%/*}
    target=${target%%.*}
    if [ -z "${allowed[$room]+known}" ]; then
      echo "check_layers.sh: server/$file is in no room that scripts/check_layers.sh knows" >&2
      failed=1
    elif [[ " ${allowed[$room]} " != *" $target "* ]]; then
      complain "$file" "$path"
    fi
  else
    path=${include//[<>]/}
    for library in "${!owners[@]}"; do
      if [[ $path == "$library"* && " ${owners[$library]} " != *" $file "* ]]; then complain "$file" "$path"; fi
    done
  fi
done < <(grep -roE --include='*.h' --include='*.cpp' '^#include +(<[^>]+>|"[^"]+")' . | sed -E 's|^\./||; s|:#include +|:|')
exit $failed
