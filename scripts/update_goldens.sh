#!/usr/bin/env bash
# update_goldens.sh writes the answers of tests/golden anew. Read the diff: every line of it is a change of what clients
# receive.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case ${1:-} in
  -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' scripts/update_goldens.sh && exit ;;
  ?*) echo "usage: update_goldens.sh" >&2 && exit 2 ;;
esac

scripts/install_dependencies.sh --tests
(scripts/configure.sh dev && cmake --build --preset dev) >&2
OCP_MOCK_UPDATE_GOLDENS=1 build/dev/tests/ocp_mock_tests --test-case='golden: every request has its answer*'
! git rev-parse --git-dir >/dev/null 2>&1 || git --no-pager diff --stat -- tests/golden
