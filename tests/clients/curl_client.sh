#!/bin/bash
# Lists a tenant's log backup tasks with curl. Prints a JSON object of what it was answered.
set -euo pipefail
shopt -s inherit_errexit  # so that a curl that fails ends the script from inside of $(...), too

curl=(curl --silent --show-error --max-time 30)
[ -z "${OCP_CA:-}" ] || curl+=(--cacert "$OCP_CA")
tasks=$OCP_URL/api/v2/ob/clusters/$OCP_CLUSTER/tenants/$OCP_TENANT/backup/task/logBackupTasks

# walk [CURL-OPTION...]: the array of all pages' bodies.
walk() {
  local page=1 pages=1 comma='' body
  printf '['
  while ((page <= pages)); do
    body=$("${curl[@]}" -u "$OCP_USER:$OCP_PASSWORD" --get -d "page=$page" -d "size=$OCP_PAGE_SIZE" "$@" "$tasks")
    printf '%s%s' "$comma" "$body"
    pages=$(sed -n 's/.*"totalPages":\([0-9]*\).*/\1/p' <<<"$body")
    pages=${pages:-0} page=$((page + 1)) comma=,
  done
  printf ']'
}

# answer [CURL-OPTION...]: the answer with its status and headers.
answer() {
  printf '{"body":'
  "${curl[@]}" --write-out ',"headers":%{header_json},"status":%{http_code}}' "$@" "$tasks"
}

# The cap is for a server that does not throttle at all.
meet_the_limit() {
  local served last
  for ((served = 0; served <= 200; ++served)); do
    last=$(answer -u "$OCP_LIMITED_USER:$OCP_LIMITED_PASSWORD")
    [[ $last == *'"status":200}' ]] || break
  done
  printf '{"served":%d,"answer":%s}' "$served" "$last"
}

# Gives up during a delay, and reads what the journal says of that.
give_up() {
  local json=(--header 'Content-Type: application/json') status=0 requests verified
  "${curl[@]}" --fail --output /dev/null "${json[@]}" --data-raw "$OCP_DELAY" "$OCP_URL/__admin/faults"
  "${curl[@]}" --max-time "$OCP_PATIENCE" -u "$OCP_USER:$OCP_PASSWORD" "$OCP_URL$OCP_DELAYED" 2>/dev/null || status=$?
  requests=$("${curl[@]}" "$OCP_URL/__admin/requests?path=$OCP_DELAYED&wait=PT20S")
  verified=$("${curl[@]}" "${json[@]}" --data-raw "$OCP_QUESTION" "$OCP_URL/__admin/requests/verify")
  printf '{"timedOut":%s,"requests":%s,"verified":%s}' "$( ((status == 28)) && echo true || echo false)" \
    "$requests" "$verified"
}

all=$(walk)
filtered=$(walk --data-urlencode "status=$OCP_STATUSES")
without_credentials=$(answer)
wrong_password=$(answer -u "$OCP_USER:not the password")
throttled=$(meet_the_limit)
gave_up=$(give_up)
printf '{"pages":%s,"filtered":%s,"refused":[%s,%s],"throttled":%s,"gave_up":%s}\n' \
  "$all" "$filtered" "$without_credentials" "$wrong_password" "$throttled" "$gave_up"
