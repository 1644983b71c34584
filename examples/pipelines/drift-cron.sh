#!/usr/bin/env bash
# Looks for drift and mails the report when something is not as declared, and once more when it is again. Crontab:
#
#     17 4 * * *  DRIFT_MAIL=ops@example.com /srv/infrastructure/drift-cron.sh /srv/infrastructure
#
# It takes the folder of the projects, and reads CODAT_API_KEY and what Pulumi needs from the file named by DRIFT_ENV
# (default: drift.env in that folder, mode 600). Reports are kept in DRIFT_STATE (default: that folder's .drift).
set -euo pipefail
cd "${1:?give the folder of the project}"
settings=${DRIFT_ENV:-drift.env}
if [ -f "$settings" ]; then
    set -a
    # shellcheck source=/dev/null
    . "$settings"
    set +a
fi
state=${DRIFT_STATE:-.drift}
mkdir -p "$state"
PATH="$PWD/.venv/bin:$PATH"

code=0
rm -f "$state/drift.txt"
codat-zoho drift --all-stacks --previous "$state/drift.json" --report json="$state/drift.json" \
    --output "$state/drift.txt" 2> "$state/errors.txt" || code=$?
# A run that fails before it has checked anything writes no report; then its one line is the mail.
cat "$state/errors.txt" >> "$state/drift.txt"

before=$(cat "$state/code" 2> /dev/null || echo 0)
echo "$code" > "$state/code"
if [ "$code" -ne 0 ] || [ "$before" -ne 0 ]; then
    case $code in
        0) subject="as declared again" ;;
        7) subject="drift" ;;
        *) subject="could not be checked (exit code $code)" ;;
    esac
    mail -s "Codat and Zoho: $subject" "${DRIFT_MAIL:?say who gets the mail}" < "$state/drift.txt"
fi
