#!/usr/bin/env bash
links=$LINKED_IS_BASE_URL/links
attempt() {
  answer=$(curl --silent --max-time 10 --write-out '\n%{http_code}' --header @- "$links" <<< "$2") || {
    echo "No answer from $links. Start the mock server, or correct .env." >&2
    exit 1
  }
  echo "$1: ${answer##*$'\n'} $(jq --raw-output .error.code <<< "${answer%$'\n'*}")"
}

attempt "No token" ""
attempt "A wrong token" "Authorization: Bearer this-is-no-token"
