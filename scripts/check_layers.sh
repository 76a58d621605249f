#!/usr/bin/env bash
# check_layers.sh fails when a file under server/ includes what its module may not know: a module includes itself and
# those before it in the list. See ARCHITECTURE.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../server"
case ${1:-} in
  -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' ../scripts/check_layers.sh && exit ;;
  ?*) echo "usage: check_layers.sh" >&2 && exit 2 ;;
esac

order=(base json http ocp catalogue fixtures store behaviour control app client cli main make_image)
# Texts that the build compiles in, and the modules that may include them.
embedded=" fixtures store control client cli "
# A library, and the files that may include it; a folder ends with a slash.
declare -A owners=(
  ["httplib.h"]="http/httplib_server.cpp client/upstream.cpp"
  ["SQLiteCpp/"]="store/database.h"
  ["sqlite3.h"]="store/database.h store/dataset_builder.cpp store/page_checks.cpp store/versions.cpp"
  ["nlohmann/"]="json/reader.cpp"
  ["CLI/"]="cli/options.cpp cli/generate.cpp cli/described.cpp"
  ["openssl/"]="ocp/digest.cpp client/healthcheck.cpp http/certificate.cpp http/stream.cpp http/tls.cpp openssl_start.cpp"
  ["spdlog/"]="app/app.cpp app/app_record.cpp app/service.cpp base/log_sink.h base/log_sink.cpp cli/commands.cpp cli/local_side.cpp"
  ["zlib.h"]="base/packed_text.cpp"
)

declare -A rank=()
for i in "${!order[@]}"; do rank[${order[i]}]=$i; done
failed=0
complain() {
  echo "check_layers.sh: server/$1 must not include $2" >&2
  failed=1
}

while IFS=: read -r file include; do
  module=${file%%/*}
  module=${module%%.*}
  path=${include//[<>\"]/}
  if [[ $include == \<* ]]; then
    for library in "${!owners[@]}"; do
      if [[ $path == "$library"* && " ${owners[$library]} " != *" $file "* ]]; then complain "$file" "$path"; fi
    done
    continue
  fi
  target=${path%%/*}
  if [ -z "${rank[$module]+known}" ]; then
    echo "check_layers.sh: server/$file is in no module that scripts/check_layers.sh knows" >&2
    failed=1
  elif [ "$target" = embedded ]; then
    [[ $embedded == *" $module "* ]] || complain "$file" "$path"
  elif [ -z "${rank[$target]+known}" ] || [ "${rank[$target]}" -gt "${rank[$module]}" ]; then
    complain "$file" "$path"
  fi
done < <(grep -roE --include='*.h' --include='*.cpp' '^#include +(<[^>]+>|"[^"]+")' . | sed -E 's|^\./||; s|:#include +|:|')
exit $failed
