#!/usr/bin/env bash
# Prints the body, then the status on the next line. The token is not on the command line, where others see it.
call() {
  curl --silent --max-time 10 --write-out '\n%{http_code}' --header @- "$@" <<< "Authorization: Bearer $LINKED_IS_API_TOKEN" || {
    echo "No answer from $links. Start the mock server, or correct .env." >&2
    exit 1
  }
}

links=$LINKED_IS_BASE_URL/links
shopt -s nocasematch && LC_ALL=C # in Turkish, i has another capital letter
if [[ $links == *linked.is* && $links != https:* ]]; then
  echo "linked.is needs https: correct LINKED_IS_BASE_URL in .env." >&2
  exit 1
fi
made=$(call --json '{"url": "https://example.com/summer-menu", "title": "Summer menu"}' "$links") || exit
body=${made%$'\n'*}
jq --raw-output --arg status "${made##*$'\n'}" 'if .success
  then .data | "Made: \($status), \(.title), leads to \(.url), \(.clicks) clicks"
  else .error | "\(.code) - \(.message)\n" | halt_error(1) end' <<< "$body" || exit
deleted=$(call --request DELETE "$links/$(jq --raw-output .data.id <<< "$body")") || exit
echo "Deleted: ${deleted##*$'\n'}"
