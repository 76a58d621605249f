#!/bin/sh
set -eu
list="$OCP_URL/api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks"
ask() { curl --silent --show-error --user admin:secret "$@"; }

ask "$list?status=FAILED" | grep -q '"totalElements":3,'

curl --silent --output /dev/null --data '{"times":1,"action":{"status":503}}' "$OCP_MOCK_ADMIN_URL/faults"
test "$(ask --output /dev/null --write-out '%{http_code}' "$list")" = 503
test "$(ask --output /dev/null --write-out '%{http_code}' "$list")" = 200
echo "failed backups are found, also after an outage"
