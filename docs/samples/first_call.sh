#!/usr/bin/env bash
# curl reads the header from standard input: other users of the computer can see a command line.
# HTTP/1.1, because HTTP/2 has no reason, such as OK, after the status.
links=$LINKED_IS_BASE_URL/links
shopt -s nocasematch && LC_ALL=C # in Turkish, i has another capital letter
if [[ $links == *linked.is* && $links != https:* ]]; then
  echo "linked.is needs https: correct LINKED_IS_BASE_URL in .env." >&2
  exit 1
fi
answer=$(curl --silent --max-time 10 --http1.1 --include --header @- "$links" \
  <<< "Authorization: Bearer $LINKED_IS_API_TOKEN") && body=${answer#*$'\r\n\r\n'} && jq empty <<< "$body" 2> /dev/null || {
  echo "No answer from $links. Start the mock server, or correct .env." >&2
  exit 1
}
status_line=${answer%%$'\r'*}
echo "${status_line#* }"
reasons=
[[ $status_line == *" 401"* ]] && reasons=$'The reasons: docs/reference/why-a-token-stops-working.md\n'
jq --raw-output --arg reasons "$reasons" 'if .success then .data[] | "\(.shortUrl) \(.clicks)"
  else .error | "\(.code) - \(.message)\n\($reasons)" | halt_error(1) end' <<< "$body"
