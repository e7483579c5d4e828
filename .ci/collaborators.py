"""Shows that the wire between `syncspec serve` and Lambda, Kinesis, S3 and SNS is real:
moto's server plays them, and boto3 looks at what arrived.

usage: collaborators.py SYNCSPEC
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer
from moto.sns.models import sns_backends

syncspec = sys.argv[1]
STREAM, FUNCTION = "changes", "trigger"


def eventually(what, ask):
    """Asks until the answer is true, and gives it."""
    for _ in range(300):
        if answer := ask():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"waited in vain for {what}")


moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
moto.start()
endpoint = "http://%s:%s" % moto.get_host_and_port()


def tell_moto(path, body):
    request = urllib.request.Request(endpoint + path, json.dumps(body).encode(), {"content-type": "application/json"})
    urllib.request.urlopen(request).close()


def aws(service):
    return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="a",
                        aws_secret_access_key="s", config=Config(s3={"addressing_style": "path"}))


kinesis, sns, functions, iam = aws("kinesis"), aws("sns"), aws("lambda"), aws("iam")


def serve():
    """A reference server that calls moto, and its target file."""
    file = os.path.join(tempfile.mkdtemp(), "target.toml")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    for service in ["LAMBDA", "KINESIS", "SNS", "S3"]:
        environment[f"AWS_ENDPOINT_URL_{service}"] = endpoint
    server = subprocess.Popen([syncspec, "serve", "--listen", "127.0.0.1:0", "--write-target", file], env=environment,
                              stdout=subprocess.DEVNULL)
    eventually("the server", lambda: os.path.exists(file))
    with open(file, "rb") as text:
        return server, tomllib.load(text)


server, target = serve()
pool = target["pool"][0]
identity = pool["identity"][0]
of_pool = {"IdentityPoolId": pool["identity-pool-id"]}
of_identity = {**of_pool, "IdentityId": identity["identity-id"]}
of_dataset = {**of_identity, "DatasetName": "settings"}


def client(keys):
    return boto3.client("cognito-sync", endpoint_url=target["endpoint"], region_name=target["region"],
                        aws_access_key_id=keys["access-key-id"], aws_secret_access_key=keys["secret-access-key"],
                        aws_session_token=keys.get("session-token"), config=Config(retries={"max_attempts": 1}))


developer, user = client(target["developer"]), client(identity)


def write(key, value, who=user, **more):
    listed = user.list_records(**of_dataset)
    count = {record["Key"]: record["SyncCount"] for record in listed["Records"]}.get(key, 0)
    patch = {"Op": "replace", "Key": key, "Value": value, "SyncCount": count}
    return who.update_records(**of_dataset, SyncSessionToken=listed["SyncSessionToken"], RecordPatches=[patch],
                              **more)["Records"]


def set_stream():
    streams = {"StreamName": STREAM, "RoleArn": target["kinesis"]["role-arn"], "StreamingStatus": "ENABLED"}
    developer.set_identity_pool_configuration(**of_pool, CognitoStreams=streams)


def records():
    """What the stream holds."""
    shard = kinesis.describe_stream(StreamName=STREAM)["StreamDescription"]["Shards"][0]["ShardId"]
    place = kinesis.get_shard_iterator(StreamName=STREAM, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    return [json.loads(record["Data"]) for record in kinesis.get_records(ShardIterator=place["ShardIterator"])["Records"]]


def streams():
    set_stream()
    write("a", "no stream yet")
    status = lambda: developer.get_identity_pool_configuration(**of_pool)["CognitoStreams"]["StreamingStatus"]
    eventually("streaming to be off", lambda: status() == "DISABLED")

    kinesis.create_stream(StreamName=STREAM, ShardCount=1)
    eventually("the stream", lambda: kinesis.describe_stream(StreamName=STREAM)["StreamDescription"]["StreamStatus"] == "ACTIVE")
    set_stream()
    write("a", "ünï")
    record, = eventually("a record", records)
    assert (record["payloadType"], record["syncCount"], record["operation"]) == ("Inline", 2, "replace"), record
    assert [entry["value"] for entry in record["kinesisSyncRecords"]] == ["ünï"], record

    write("large", "x" * 1_048_400)
    large = eventually("a second record", lambda: records()[1:])[0]
    assert large["payloadType"] == "S3Url" and large["kinesisSyncRecords"] is None, large
    with urllib.request.urlopen(large["kinesisSyncRecordsURL"]) as kept:
        assert [len(entry["value"]) for entry in json.load(kept)] == [1_048_400]
    write("large", "small again")
    eventually("a third record", lambda: len(records()) == 3)

    developer.bulk_publish(**of_pool)
    published = lambda: developer.get_bulk_publish_details(**of_pool)["BulkPublishStatus"]
    eventually("the bulk publish", lambda: published() == "SUCCEEDED")
    published = records()[-1]
    assert sorted(entry["key"] for entry in published["kinesisSyncRecords"]) == ["a", "large"], published


def push():
    application = sns.create_platform_application(Name="app", Platform="GCM", Attributes={})["PlatformApplicationArn"]
    developer.set_identity_pool_configuration(
        **of_pool, PushSync={"ApplicationArns": [application], "RoleArn": target["sns"]["role-arn"]})
    phone, tablet = (
        user.register_device(**of_identity, Platform="GCM", Token=token)["DeviceId"] for token in ["phone", "tablet"])
    endpoints = sns.list_endpoints_by_platform_application(PlatformApplicationArn=application)["Endpoints"]
    assert sorted(one["Attributes"]["Token"] for one in endpoints) == ["phone", "tablet"], endpoints
    for device in [phone, tablet]:
        user.subscribe_to_dataset(**of_dataset, DeviceId=device)
    write("a", "from the phone", DeviceId=phone)
    # moto keeps what an endpoint was sent, but no API shows it.
    kept = sns_backends["123456789012"]["us-east-1"].platform_endpoints
    sent = {one["Attributes"]["Token"]: kept[one["EndpointArn"]].messages for one in endpoints}
    message, = eventually("a message", lambda: list(sent["tablet"].values()))
    told = json.loads(json.loads(message)["GCM"])["data"]
    assert (told["source"], told["datasetName"]) == ("cognito-sync", "settings"), told
    assert not sent["phone"], "the writer was told"


def function():
    tell_moto("/moto-api/config", {"lambda": {"use_docker": False}})
    trust = {"Version": "2012-10-17", "Statement": []}
    role = iam.create_role(RoleName="function", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    arn = functions.create_function(FunctionName=FUNCTION, Runtime="python3.12", Role=role, Handler="f.f",
                                    Code={"ZipFile": b"never run"})["FunctionArn"]
    developer.set_cognito_events(**of_pool, Events={"SyncTrigger": arn})
    event = {"version": 2, "eventType": "SyncTrigger", "region": "us-east-1", **of_event(),
             "datasetRecords": {"added": {"newValue": "by the function", "op": "replace"}}}
    answers = {"results": [json.dumps(event), "no JSON"], "region": "us-east-1"}
    tell_moto("/moto-api/static/lambda-simple/response", answers)
    written = write("b", "1")
    assert {record["Key"]: record["Value"] for record in written} == {"b": "1", "added": "by the function"}, written
    try:
        write("c", "1")
        raise AssertionError("a function that failed was taken")
    except user.exceptions.InvalidLambdaFunctionOutputException:
        pass
    # Without an answer prepared, moto gives back what the function was sent.
    assert [record["Key"] for record in write("c", "1")] == ["c"]


def of_event():
    return {"identityPoolId": of_identity["IdentityPoolId"], "identityId": of_identity["IdentityId"],
            "datasetName": of_dataset["DatasetName"]}


try:
    streams()
    push()
    function()
finally:
    server.terminate()
    server.wait()
    moto.stop()
print("moto took what was sent to Lambda, Kinesis, S3 and SNS")
