#!/usr/bin/env bash
# The token is not on the command line, where others see it. %header{…} needs curl 7.84 or newer.
links=$LINKED_IS_BASE_URL/links
longest_wait=60 # seconds
shopt -s nocasematch && LC_ALL=C # in Turkish, i has another capital letter
if [[ $links == *linked.is* && $links != https:* ]]; then
  echo "linked.is needs https: correct LINKED_IS_BASE_URL in .env." >&2
  exit 1
fi

# Print the seconds of the body, or of the header (a number or a date), or the default.
seconds_to_wait() {
  LC_ALL=C jq --raw-input --slurp --arg header "$2" --argjson default "$3" '
    def until_date: strptime("%a, %d %b %Y %H:%M:%S GMT") | mktime - now;
    [(fromjson | .error.retryAfter)?, ($header | tonumber?, until_date?), $default]
    | [1, (map(numbers) | first | ceil)] | max' <<< "$1"
}

for waits in 0 1 2 3; do
  answer=$(curl --silent --max-time 10 --header @- "$links" \
    --write-out '\n%{http_code} %header{Retry-After}' <<< "Authorization: Bearer $LINKED_IS_API_TOKEN") || {
    echo "No answer from $links. Start the mock server, or correct .env." >&2
    exit 1
  }
  read -r status header <<< "${answer##*$'\n'}"
  echo "Status: $status"
  if ((status != 429 && status != 503 || waits == 3)); then break; fi
  seconds=$(seconds_to_wait "${answer%$'\n'*}" "$header" $((2 ** waits)))
  if ((seconds > longest_wait)); then
    echo "Come back in $seconds seconds." >&2
    break
  fi
  echo "Seconds to wait: $seconds"
  sleep "$seconds.$RANDOM" # up to a second longer, so that not all programs come back at once
done
((status == 200))
