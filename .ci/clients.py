"""Drives a reference server with unmodified AWS clients: boto3 and the AWS CLI.

All 17 actions are called once, and errors must arrive as the exceptions that
boto3 generates from AWS's model of the service.

usage: clients.py TARGET-FILE
"""

import json
import os
import subprocess
import sys
import tomllib

import boto3
from botocore.config import Config

with open(sys.argv[1], "rb") as file:
    target = tomllib.load(file)
pool = target["pool"][-1]
identity = pool["identity"][0]


def client(keys):
    return boto3.client(
        "cognito-sync",
        endpoint_url=target["endpoint"],
        region_name=target["region"],
        aws_access_key_id=keys["access-key-id"],
        aws_secret_access_key=keys["secret-access-key"],
        aws_session_token=keys.get("session-token"),
        config=Config(retries={"max_attempts": 1}),
    )


developer, user = client(target["developer"]), client(identity)
of_pool = {"IdentityPoolId": pool["identity-pool-id"]}
of_identity = {**of_pool, "IdentityId": identity["identity-id"]}
of_dataset = {**of_identity, "DatasetName": "clients.boto3:1"}
called = set()


def call(who, name, **arguments):
    called.add(name)
    return getattr(who, name)(**arguments)


def refused(who, name, error, **arguments):
    """The call is refused with this exception of boto3's."""
    try:
        getattr(who, name)(**arguments)
    except getattr(who.exceptions, error):
        return
    raise AssertionError(f"{name} was not refused with {error}")


def records():
    def patch(key, count, **more):
        return [{"Op": "replace", "Key": key, "Value": "ünï", "SyncCount": count, **more}]

    token = call(user, "list_records", **of_dataset)["SyncSessionToken"]
    written = call(user, "update_records", **of_dataset, SyncSessionToken=token, RecordPatches=patch("k", 0),
                   ClientContext="any")
    assert written["Records"][0]["SyncCount"] == 1, written
    listed = call(user, "list_records", **of_dataset, LastSyncCount=0, MaxResults=10)
    assert [record["Value"] for record in listed["Records"]] == ["ünï"], listed
    refused(user, "update_records", "ResourceConflictException", **of_dataset,
            SyncSessionToken=listed["SyncSessionToken"], RecordPatches=patch("k", 0))
    assert call(user, "describe_dataset", **of_dataset)["Dataset"]["NumRecords"] == 1
    assert call(user, "list_datasets", **of_identity)["Count"] == 1
    assert call(developer, "describe_identity_usage", **of_identity)["IdentityUsage"]["DatasetCount"] == 1


def push():
    arn = target["sns"]["application-arn"]
    refused(user, "register_device", "InvalidConfigurationException", **of_identity, Platform="GCM", Token="t")
    call(developer, "set_identity_pool_configuration", **of_pool,
         PushSync={"ApplicationArns": [arn], "RoleArn": target["sns"]["role-arn"]},
         CognitoStreams={"StreamName": target["kinesis"]["stream-name"], "RoleArn": target["kinesis"]["role-arn"],
                         "StreamingStatus": "ENABLED"})
    configured = call(developer, "get_identity_pool_configuration", **of_pool)
    assert configured["PushSync"]["ApplicationArns"] == [arn], configured
    device = call(user, "register_device", **of_identity, Platform="GCM", Token="t")["DeviceId"]
    call(user, "subscribe_to_dataset", **of_dataset, DeviceId=device)
    call(user, "unsubscribe_from_dataset", **of_dataset, DeviceId=device)


def pools():
    refused(user, "get_cognito_events", "NotAuthorizedException", **of_pool)
    call(developer, "set_cognito_events", **of_pool, Events={"SyncTrigger": target["lambda"]["function-arn"]})
    assert call(developer, "get_cognito_events", **of_pool)["Events"], "the event was not kept"
    call(developer, "bulk_publish", **of_pool)
    assert call(developer, "get_bulk_publish_details", **of_pool)["BulkPublishStatus"] in ("IN_PROGRESS", "SUCCEEDED")
    assert call(developer, "describe_identity_pool_usage", **of_pool)["IdentityPoolUsage"]["DataStorage"] > 0
    assert call(developer, "list_identity_pool_usage", MaxResults=3)["Count"] == 3


def clean():
    call(user, "delete_dataset", **of_dataset)
    refused(user, "describe_dataset", "ResourceNotFoundException", **of_dataset)
    developer.set_cognito_events(**of_pool, Events={"SyncTrigger": ""})
    developer.set_identity_pool_configuration(**of_pool, PushSync={})


def command_line():
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": identity["access-key-id"],
        "AWS_SECRET_ACCESS_KEY": identity["secret-access-key"],
        "AWS_SESSION_TOKEN": identity["session-token"],
        "AWS_DEFAULT_REGION": target["region"],
    }
    words = ["aws", "--endpoint-url", target["endpoint"], "cognito-sync", "list-datasets",
             "--identity-pool-id", of_identity["IdentityPoolId"], "--identity-id", of_identity["IdentityId"]]
    listed = subprocess.run(words, env=environment, check=True, capture_output=True, text=True)
    assert json.loads(listed.stdout)["Count"] == 0, listed.stdout


records()
push()
pools()
clean()
command_line()
missing = {
    "bulk_publish", "delete_dataset", "describe_dataset", "describe_identity_pool_usage", "describe_identity_usage",
    "get_bulk_publish_details", "get_cognito_events", "get_identity_pool_configuration", "list_datasets",
    "list_identity_pool_usage", "list_records", "register_device", "set_cognito_events",
    "set_identity_pool_configuration", "subscribe_to_dataset", "unsubscribe_from_dataset", "update_records",
} - called
assert not missing, missing
print(f"boto3 {boto3.__version__}: {len(called)} actions called, and one by the AWS CLI")
