#!/usr/bin/env bash
# The token is not on the command line, where others see it. %header{…} needs curl 7.84 or newer.
links=$LINKED_IS_BASE_URL/links
for waits_left in 3 2 1 0; do
  answer=$(curl --silent --max-time 10 --output /dev/null --header @- "$links" \
    --write-out '%{http_code} %header{Retry-After}' <<< "Authorization: Bearer $LINKED_IS_API_TOKEN") || {
    echo "No answer from $links. Start the mock server, or correct .env." >&2
    exit 1
  }
  read -r status seconds <<< "$answer"
  echo "Status: $status"
  if ((status != 429 || waits_left == 0)); then break; fi
  # linked.is doesn't document this header. Without it, wait for the next minute.
  echo "Seconds to wait: ${seconds:=60}"
  sleep "$seconds"
done
((status == 200))
