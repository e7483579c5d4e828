#!/usr/bin/env bash
# The unmodified AWS CLI, version 1, against `syncspec serve`: all 17 actions, errors by name
# and exit code, pages, values that are absent, retries, and clocks that differ.
#
# usage: round.sh ENDPOINT AHEAD BEHIND
#
# All three serve tests/clients/world.toml. ENDPOINT lets faults be changed
# (--fault-control); the clocks of AHEAD and BEHIND are an hour off (--clock-offset).
set -euo pipefail

endpoint=$1 ahead=$2 behind=$3
export AWS_DEFAULT_REGION=us-east-1 AWS_PAGER='' AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=3
role=arn:aws:iam::123456789012:role/sync
application=arn:aws:sns:us-east-1:123456789012:app/GCM/app
trigger=arn:aws:lambda:us-east-1:123456789012:function:trigger
pool=(--identity-pool-id us-east-1:0a1b2c3d-0000-4000-8000-000000000000)
identity=("${pool[@]}" --identity-id us-east-1:1a2b3c4d-0000-4000-8000-000000000000)
dataset=("${identity[@]}" --dataset-name settings:awscli)
said=$(mktemp)
trap 'rm -f "$said"' EXIT

# The service, for whom the keys are; the answer, or a part of it, is told as text.
sync() { aws cognito-sync --endpoint-url "$endpoint" "$@" --output text; }
developer() { AWS_ACCESS_KEY_ID=AKIADEVELOPER AWS_SECRET_ACCESS_KEY=developer-secret sync "$@"; }
user() { AWS_ACCESS_KEY_ID=ASIAUSER AWS_SECRET_ACCESS_KEY=user-secret AWS_SESSION_TOKEN=user-token sync "$@"; }

# wants EXPECTED COMMAND…: the command says this.
wants() {
    local expected=$1 actual
    shift
    actual=$("$@")
    [ "$actual" = "$expected" ] || { printf '%s\n  wanted %s\n  said   %s\n' "$*" "$expected" "$actual"; exit 1; }
}

# refused ERROR COMMAND…: the service refuses it with this error.
refused() {
    local error=$1 code=0
    shift
    "$@" >/dev/null 2>"$said" || code=$?
    [ "$code" = 255 ] && grep -qF "An error occurred ($error) when calling" "$said" && return
    printf '%s\n  wanted %s and exit code 255, got %s:\n' "$*" "$error" "$code"; cat "$said"; exit 1
}

# Has the server fail in this way from now on, or not any more; and how many requests came.
fault() { curl -sSf -X PUT -d "[\"$1\"]" "$endpoint/_syncspec/faults" >/dev/null; }
no_fault() { curl -sSf -X DELETE "$endpoint/_syncspec/faults" >/dev/null; }
requests() { curl -sSf "$endpoint/_syncspec/faults" | sed 's/.*"requests":\([0-9]*\).*/\1/'; }

token() { user list-records "$@" --query SyncSessionToken; }
update() { user update-records "${dataset[@]}" --sync-session-token "$(token "${dataset[@]}")" --record-patches "$@"; }
patch() { printf 'Op=replace,Key=%s,SyncCount=%s,Value=%s' "$1" "$2" "${3-välue}"; }

# pages QUERY COMMAND…: everything in pages of one; the CLI has no paginators for this service.
pages() {
    local query=$1 page next
    shift
    page=$("$@" --max-results 1 --query "[NextToken, $query]")
    while next=$(head -n 1 <<<"$page"); tail -n +2 <<<"$page"; [ "$next" != None ]; do
        page=$("$@" --max-results 1 --next-token "$next" --query "[NextToken, $query]")
    done
}

echo "records"
# What is null is None.
wants $'None\tNone\t0\t0\tFalse' user list-records "${dataset[@]}" \
    --query '[NextToken, LastModifiedBy, Count, DatasetSyncCount, DatasetExists]'
# The CLI sends no fractions of a second.
wants $'1\tvälue\t1577836800.0\n1\t\tNone' update \
    "$(patch a 0),DeviceLastModifiedDate=2020-01-01T00:00:00.123Z" "$(patch b 0 '')" --client-context '{}' \
    --query 'Records[].[SyncCount, Value, DeviceLastModifiedDate]'
update Op=remove,Key=b,SyncCount=1 >/dev/null
wants $'b\tNone\t2' user list-records "${dataset[@]}" --last-sync-count 1 --query 'Records[].[Key, Value, SyncCount]'
wants $'a\nb' pages 'Records[].Key' user list-records "${dataset[@]}"
wants $'1\t7' user describe-dataset "${dataset[@]}" --query '[Dataset.NumRecords, Dataset.DataStorage]'
another=("${identity[@]}" --dataset-name another)
user update-records "${another[@]}" --sync-session-token "$(token "${another[@]}")" \
    --record-patches "$(patch a 0)" >/dev/null
wants $'another\nsettings:awscli' pages 'Datasets[].DatasetName' user list-datasets "${identity[@]}"
wants 1 user delete-dataset "${another[@]}" --query Dataset.NumRecords

echo "devices"
register=(register-device "${identity[@]}" --platform GCM --token push-token)
refused InvalidConfigurationException user "${register[@]}"
developer set-identity-pool-configuration "${pool[@]}" --push-sync "ApplicationArns=$application,RoleArn=$role" >/dev/null
wants "$application" developer get-identity-pool-configuration "${pool[@]}" --query 'PushSync.ApplicationArns'
device=$(user "${register[@]}" --query DeviceId)
wants '' user subscribe-to-dataset "${dataset[@]}" --device-id "$device"
wants '' user unsubscribe-from-dataset "${dataset[@]}" --device-id "$device"

echo "pools"
wants '' developer set-cognito-events "${pool[@]}" --events "SyncTrigger=$trigger"
wants "$trigger" developer get-cognito-events "${pool[@]}" --query Events.SyncTrigger
wants '' developer set-cognito-events "${pool[@]}" --events SyncTrigger=
developer set-identity-pool-configuration "${pool[@]}" \
    --cognito-streams "StreamName=changes,RoleArn=$role,StreamingStatus=ENABLED" >/dev/null
developer bulk-publish "${pool[@]}" >/dev/null
until [ "$(developer get-bulk-publish-details "${pool[@]}" --query BulkPublishStatus)" = SUCCEEDED ]; do :; done
refused AlreadyStreamedException developer bulk-publish "${pool[@]}"
wants $'7\tNone' developer describe-identity-pool-usage "${pool[@]}" \
    --query 'IdentityPoolUsage.[DataStorage, SyncSessionsCount]'
wants 1 developer describe-identity-usage "${identity[@]}" --query IdentityUsage.DatasetCount
wants 3 eval 'pages "IdentityPoolUsages[].IdentityPoolId" developer list-identity-pool-usage | wc -l | tr -d " "'

echo "errors"
refused ResourceConflictException update "$(patch a 0)"
refused InvalidParameterException user list-records "${dataset[@]}" --last-sync-count 9
refused NotAuthorizedException user get-cognito-events "${pool[@]}"
much=$(printf '%060000d' 0)
# In the standard mode this counts as throttling: all attempts are used up.
# shellcheck disable=SC2046
refused LimitExceededException update $(for key in $(seq 20); do patch "k$key" 0 "$much"; echo; done)
grep -qF '(reached max retries: 2)' "$said"
user delete-dataset "${dataset[@]}" >/dev/null
refused ResourceNotFoundException user describe-dataset "${dataset[@]}"
# Those that need other services, or luck. The model lacks the last one.
for error in InvalidLambdaFunctionOutputException LambdaThrottledException LambdaSocketTimeoutException; do
    fault "$error"
    refused "$error" update "$(patch a 0)"
done
fault ConcurrentModificationException
refused ConcurrentModificationException developer set-identity-pool-configuration "${pool[@]}"
fault DuplicateRequestException
refused DuplicateRequestException developer bulk-publish "${pool[@]}"

echo "retries"
for error in TooManyRequestsException InternalErrorException cut-before; do
    fault "$error:ListDatasets:2"
    wants 0 user list-datasets "${identity[@]}" --query Count
    wants 3 requests
done
# One that does not end: the CLI says how often it tried.
for error in TooManyRequestsException InternalErrorException; do
    fault "$error"
    refused "$error" user list-datasets "${identity[@]}"
    grep -qF '(reached max retries: 2)' "$said"
    wants 3 requests
done
# When an answer is lost, the CLI sends the update again, whose token is used up by then.
fault cut-after:UpdateRecords:1
refused InvalidParameterException update "$(patch lost 0)"
wants 2 requests
wants lost user list-records "${dataset[@]}" --query 'Records[].Key'
no_fault

echo "clocks"
# The CLI does not look at the server's clock: it fails until its own is right.
endpoint=$ahead refused InvalidSignatureException user list-datasets "${identity[@]}"
grep -qF ': Signature expired' "$said"
endpoint=$behind refused InvalidSignatureException user list-datasets "${identity[@]}"
grep -qF ': Signature not yet current' "$said"

echo "environment"
# Nothing on the command line says where the server is.
sync() { AWS_ENDPOINT_URL_COGNITO_SYNC=$endpoint aws cognito-sync "$@" --output text; }
wants 3 developer list-identity-pool-usage --query Count

aws --version
