#!/usr/bin/env bash
# Zoho Books in one Codat client, as a person would script it: read, compare, write what differs.
#   CODAT_API_KEY, CODAT_URL, CLIENT_ID, CLIENT_SECRET, ENABLED (true or false)   zoho_books.sh check | apply
# Exits with 7 when `check` finds a difference.
set -euo pipefail
key=$(printf %s "$CODAT_API_KEY" | base64 -w0)
call() { # method path [body]
  curl --silent --show-error --fail-with-body --request "$1" "$CODAT_URL$2" --header "Authorization: Basic $key" \
    --header "Content-Type: application/json" ${3:+--data "$3"}
}
enabled=$(call GET /integrations/rwuv | jq .enabled)
keys=$(call GET /integrations/credentials/rwuv || true)
# Codat masks keys: all that can be compared are the last characters.
shown() { jq --raw-output --arg name "$1" '.[$name] // "" | .[-4:]' <<<"$keys"; }
differs=()
if [ "$(shown clientId)" != "${CLIENT_ID: -4}" ] || [ "$(shown clientSecret)" != "${CLIENT_SECRET: -4}" ]; then
  differs+=(keys)
fi
if [ "$enabled" != "$ENABLED" ]; then
  differs+=(enabled)
fi
if [ "$1" = check ]; then
  [ ${#differs[@]} = 0 ] || exit 7
  exit 0
fi
for one in ${differs[@]+"${differs[@]}"}; do
  case $one in
    keys)
      call PUT /integrations/credentials/rwuv \
        "$(jq --null-input --arg id "$CLIENT_ID" --arg secret "$CLIENT_SECRET" '{clientId: $id, clientSecret: $secret}')"
      ;;
    enabled) call PUT /integrations/rwuv/enabled "{\"enabled\": $ENABLED}" ;;
  esac
done >/dev/null
