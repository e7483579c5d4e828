"""An unmodified boto3 against `syncspec serve`: all 17 actions, errors by class, pages,
values that are absent, retries, and clocks that differ.

usage: round.py ENDPOINT AHEAD BEHIND

All three serve tests/clients/world.toml. ENDPOINT lets faults be changed
(--fault-control); the clocks of AHEAD and BEHIND are an hour off (--clock-offset).
"""

import datetime
import json
import os
import sys
import time
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, ahead, behind = sys.argv[1:]
os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
DEVELOPER = dict(aws_access_key_id="AKIADEVELOPER", aws_secret_access_key="developer-secret")
USER = dict(aws_access_key_id="ASIAUSER", aws_secret_access_key="user-secret", aws_session_token="user-token")

pool = {"IdentityPoolId": "us-east-1:0a1b2c3d-0000-4000-8000-000000000000"}
identity = {**pool, "IdentityId": "us-east-1:1a2b3c4d-0000-4000-8000-000000000000"}
dataset = {**identity, "DatasetName": "settings:boto3"}
ROLE = "arn:aws:iam::123456789012:role/sync"
APPLICATION = "arn:aws:sns:us-east-1:123456789012:app/GCM/app"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:trigger"

three_attempts = Config(retries={"mode": "standard", "total_max_attempts": 3})
for name, value in DEVELOPER.items():
    os.environ[name.upper()] = value
developer = boto3.client("cognito-sync", endpoint_url=endpoint)
user = boto3.client("cognito-sync", endpoint_url=endpoint, config=three_attempts, **USER)

called = set()
for client in developer, user:
    client.meta.events.register("before-call.cognito-sync", lambda model, **_: called.add(model.name))


def refused(error, call, *arguments, **more):
    """The call is refused with this error, and with its class of exception if the model has it."""
    try:
        call(*arguments, **more)
    except getattr(user.exceptions, error, ClientError) as exception:
        assert exception.response["Error"]["Code"] == error and exception.response["Error"]["Message"]
        return exception.response
    raise AssertionError(f"not refused with {error}")


def faults(*faults, method="PUT"):
    """Has the server fail in these ways from now on."""
    body = json.dumps(faults).encode()
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/_syncspec/faults", body, method=method)).close()


def requests():
    """How many requests came since then."""
    with urllib.request.urlopen(f"{endpoint}/_syncspec/faults") as shown:
        return json.load(shown)["faults"][0]["requests"]


def patch(key, count, value="välue", op="replace"):
    return {"Op": op, "Key": key, "SyncCount": count, **({"Value": value} if op == "replace" else {})}


def update(*patches, token=None, **more):
    token = token or user.list_records(**dataset)["SyncSessionToken"]
    return user.update_records(**dataset, SyncSessionToken=token, RecordPatches=list(patches), **more)


def pages(list_page, key, **arguments):
    """Everything in pages of one; botocore has no paginators for this service."""
    while True:
        page = list_page(**arguments, MaxResults=1)
        assert len(page[key]) <= 1, page
        yield from page[key]
        if not page.get("NextToken"):
            return
        arguments["NextToken"] = page["NextToken"]


def records():
    said = datetime.datetime(2020, 1, 1, 0, 0, 0, 123000, tzinfo=datetime.timezone.utc)
    fresh = user.list_records(**dataset)
    # What is null is absent.
    assert "NextToken" not in fresh and "LastModifiedBy" not in fresh, fresh
    assert (fresh["Records"], fresh["Count"], fresh["DatasetSyncCount"]) == ([], 0, 0), fresh
    assert fresh["DatasetExists"] is False and fresh["DatasetDeletedAfterRequestedSyncCount"] is False
    written = update({**patch("a", 0), "DeviceLastModifiedDate": said}, patch("b", 0, ""), ClientContext="{}")["Records"]
    assert [record["SyncCount"] for record in written] == [1, 1], written
    assert written[0]["DeviceLastModifiedDate"] == said and written[1]["Value"] == ""
    age = datetime.datetime.now(datetime.timezone.utc) - written[0]["LastModifiedDate"]
    assert abs(age.total_seconds()) < 60, age
    update(patch("b", 1, op="remove"))
    removed = user.list_records(**dataset, LastSyncCount=1)["Records"]
    assert [(record["Key"], "Value" in record, record["SyncCount"]) for record in removed] == [("b", False, 2)], removed
    assert {record["Key"] for record in pages(user.list_records, "Records", **dataset)} == {"a", "b"}
    described = user.describe_dataset(**dataset)["Dataset"]
    assert (described["NumRecords"], described["DataStorage"]) == (1, 7), described
    update_of = {**identity, "DatasetName": "another"}
    token = user.list_records(**update_of)["SyncSessionToken"]
    user.update_records(**update_of, SyncSessionToken=token, RecordPatches=[patch("a", 0)])
    assert len(list(pages(user.list_datasets, "Datasets", **identity))) == 2
    assert user.delete_dataset(**update_of)["Dataset"]["NumRecords"] == 1


def devices():
    register = dict(**identity, Platform="GCM", Token="push-token")
    refused("InvalidConfigurationException", user.register_device, **register)
    push = {"ApplicationArns": [APPLICATION], "RoleArn": ROLE}
    developer.set_identity_pool_configuration(**pool, PushSync=push)
    assert developer.get_identity_pool_configuration(**pool)["PushSync"] == push
    device = user.register_device(**register)["DeviceId"]
    user.subscribe_to_dataset(**dataset, DeviceId=device)
    user.unsubscribe_from_dataset(**dataset, DeviceId=device)


def pools():
    developer.set_cognito_events(**pool, Events={"SyncTrigger": FUNCTION})
    assert developer.get_cognito_events(**pool)["Events"] == {"SyncTrigger": FUNCTION}
    developer.set_cognito_events(**pool, Events={"SyncTrigger": ""})
    assert not developer.get_cognito_events(**pool).get("Events")
    streams = {"StreamName": "changes", "RoleArn": ROLE, "StreamingStatus": "ENABLED"}
    developer.set_identity_pool_configuration(**pool, CognitoStreams=streams)
    developer.bulk_publish(**pool)
    while (details := developer.get_bulk_publish_details(**pool))["BulkPublishStatus"] != "SUCCEEDED":
        time.sleep(0.1)
    assert details["BulkPublishStartTime"] <= details["BulkPublishCompleteTime"], details
    refused("AlreadyStreamedException", developer.bulk_publish, **pool)
    usage = developer.describe_identity_pool_usage(**pool)["IdentityPoolUsage"]
    assert usage["DataStorage"] == 7 and "SyncSessionsCount" not in usage, usage
    assert developer.describe_identity_usage(**identity)["IdentityUsage"]["DatasetCount"] == 1
    assert len(list(pages(developer.list_identity_pool_usage, "IdentityPoolUsages"))) == 3


def errors():
    refused("ResourceConflictException", update, patch("a", 0))
    refused("InvalidParameterException", user.list_records, **dataset, LastSyncCount=9)
    refused("NotAuthorizedException", user.get_cognito_events, **pool)
    too_much = [patch(key, 0, "x" * 600_000) for key in ("x", "y")]
    # In the standard mode this counts as throttling: all attempts are used up.
    assert refused("LimitExceededException", update, *too_much)["ResponseMetadata"]["RetryAttempts"] == 2
    user.delete_dataset(**dataset)
    assert refused("ResourceNotFoundException", user.describe_dataset, **dataset)["ResponseMetadata"]["HTTPStatusCode"] == 404
    # Those that need other services, or luck. The model lacks the last one.
    for error, call in {
        "ConcurrentModificationException": lambda: developer.set_identity_pool_configuration(**pool),
        "DuplicateRequestException": lambda: developer.bulk_publish(**pool),
        "InternalErrorException": lambda: user.list_datasets(**identity),
        "InvalidLambdaFunctionOutputException": lambda: update(patch("a", 0)),
        "LambdaThrottledException": lambda: update(patch("a", 0)),
        "TooManyRequestsException": lambda: user.list_datasets(**identity),
        "LambdaSocketTimeoutException": lambda: update(patch("a", 0)),
    }.items():
        faults(error)
        refused(error, call)


def retries():
    for fault in "TooManyRequestsException", "InternalErrorException", "cut-before":
        faults(f"{fault}:ListDatasets:2")
        assert user.list_datasets(**identity)["ResponseMetadata"]["RetryAttempts"] == 2, fault
        assert requests() == 3, fault
    # One that does not end.
    for fault in "TooManyRequestsException", "InternalErrorException":
        faults(fault)
        assert refused(fault, user.list_datasets, **identity)["ResponseMetadata"]["RetryAttempts"] == 2
        assert requests() == 3, fault
    # When an answer is lost, boto3 sends the update again, whose token is used up by then.
    faults("cut-after:UpdateRecords:1")
    refused("InvalidParameterException", update, patch("lost", 0))
    assert requests() == 2
    assert "lost" in [record["Key"] for record in user.list_records(**dataset)["Records"]], "it was written"
    faults(method="DELETE")


def clocks():
    """boto3 does not look at the server's clock: it fails until its own is right."""
    for other, said in (ahead, "Signature expired"), (behind, "Signature not yet current"):
        client = boto3.client("cognito-sync", endpoint_url=other, **USER)
        response = refused("InvalidSignatureException", client.list_datasets, **identity)
        assert response["Error"]["Message"].startswith(said), response
        assert response["ResponseMetadata"]["RetryAttempts"] == 0, response


def environment():
    """Nothing in the program says where the server is."""
    os.environ["AWS_ENDPOINT_URL_COGNITO_SYNC"] = endpoint
    assert boto3.client("cognito-sync").list_identity_pool_usage()["Count"] == 3


for part in records, devices, pools, errors, retries, clocks, environment:
    part()
missing = set(user.meta.service_model.operation_names) - called
assert not missing, missing
print(f"boto3 {boto3.__version__}: {len(called)} actions")
