#!/usr/bin/env bash
# The token is not on the command line, where others see it. %header{…} needs curl 7.84 or newer.
links=$LINKED_IS_BASE_URL/links
shopt -s nocasematch && LC_ALL=C # in Turkish, i has another capital letter
if [[ $links == *linked.is* && $links != https:* ]]; then
  echo "linked.is needs https: correct LINKED_IS_BASE_URL in .env." >&2
  exit 1
fi
answer=$(curl --silent --max-time 10 --output /dev/null --header @- "$links" \
  --write-out '%header{X-RateLimit-Limit} %header{X-RateLimit-Remaining}' \
  <<< "Authorization: Bearer $LINKED_IS_API_TOKEN") || {
  echo "No answer from $links. Start the mock server, or correct .env." >&2
  exit 1
}
read -r limit remaining <<< "$answer"
echo "X-RateLimit-Limit: $limit"
echo "Remaining is lower: $( ((remaining < limit)) && echo yes || echo no )"
