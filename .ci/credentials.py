"""Credentials from a Cognito Identity and an STS that nobody here wrote: moto's.

A reference server stands in for Cognito Sync. It knows its own keys only and refuses
moto's, so what is shown is how credentials are had, that requests are signed with
them, and that nothing secret is told of.

usage: credentials.py SYNCSPEC TARGET-FILE-OF-A-REFERENCE-SERVER
"""

import json
import logging
import os
import pathlib
import subprocess
import sys
import tempfile
import tomllib

import boto3
from moto.server import ThreadedMotoServer

syncspec, served = os.path.abspath(sys.argv[1]), tomllib.loads(pathlib.Path(sys.argv[2]).read_text())
# moto tells of each request, and of those that it cannot answer.
logging.disable(logging.CRITICAL)
folder = pathlib.Path(tempfile.mkdtemp())
moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
moto.start()
address = "http://{}:{}".format(*moto.get_host_and_port())

KEYS = {"aws_access_key_id": "AKIABASEBASEBASEBASE", "aws_secret_access_key": "base-secret-of-the-account"}
cognito = boto3.client("cognito-identity", endpoint_url=address, region_name="us-east-1", **KEYS)
pool = cognito.create_identity_pool(
    IdentityPoolName="syncspec", AllowUnauthenticatedIdentities=True, DeveloperProviderName="login.my.app"
)["IdentityPoolId"]

(folder / "config").write_text(f"""
[profile base]
aws_access_key_id = {KEYS["aws_access_key_id"]}
aws_secret_access_key = {KEYS["aws_secret_access_key"]}
[profile assumed]
role_arn = arn:aws:iam::123456789012:role/syncspec
source_profile = base
""")
(folder / "token").write_text("a.web.token")
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
    "AWS_CONFIG_FILE": str(folder / "config"),
    "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ENDPOINT_URL_STS": address,
    # Those of Cognito Identity and of the cases stand in the target file; a proxy is
    # never used.
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_REGION": "eu-central-1",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
}
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "AKIAENVENVENVENVENVE", "AWS_SECRET_ACCESS_KEY": "environment-secret"}
SECRETS = ["base-secret-of-the-account", "environment-secret", "a.web.token"]


def target(developer, cognito_identity):
    path = folder / "target.toml"
    path.write_text(
        f'name = "moto"\nendpoint = "{served["endpoint"]}"\nregion = "us-east-1"\nidentity-pool-id = "{pool}"\n'
        f'lacks = ["legacy-rpc"]\n{developer}\n[cognito-identity]\nendpoint = "{address}"\n{cognito_identity}\n'
    )
    return path


def run(words, environment=None):
    done = subprocess.run(
        [syncspec, *words], env=CLEAN | (environment or {}), cwd=folder, capture_output=True, text=True, timeout=120
    )
    for secret in [*SECRETS, moto_secret["SecretKey"], moto_secret["SessionToken"]]:
        assert secret not in done.stdout + done.stderr, f"{secret} in {done.stdout}{done.stderr}"
    return done


def check(developer, cognito_identity, environment=None, *more):
    path = target(developer, cognito_identity)
    done = run(["target", "check", "--target", path, "--format", "json", *more], environment)
    assert done.stdout, done.stderr
    document = json.loads(done.stdout)
    # The reference server knows none of these keys.
    assert done.returncode == 3 and not document["ok"], done.stdout
    return document


def details(document, what):
    return [line["detail"] for line in document["checks"] if line["what"] == what and line["state"] == "ok"]


def known():
    listed = cognito.list_identities(IdentityPoolId=pool, MaxResults=60)["Identities"]
    return {identity["IdentityId"] for identity in listed}


first = cognito.get_id(IdentityPoolId=pool)["IdentityId"]
moto_secret = cognito.get_credentials_for_identity(IdentityId=first)["Credentials"]
PROFILE, CHAIN = '[developer]\nprofile = "assumed"', '[developer]\nsource = "default-chain"'

# A role that a profile assumes, with STS; identities that exist.
document = check(PROFILE, f'identity-ids = ["{first}"]')
developer, = details(document, "developer")
assert developer.startswith("ASIA") and developer.endswith("(profile `assumed`)"), developer
assert document["identities"] == [first], document
identities, = details(document, "identities")
assert moto_secret["AccessKeyId"][:4] in identities and identities.startswith("1, "), identities
assert known() == {first}, "a check changes nothing"

# The environment, which a profile does not look at.
developer, = details(check(PROFILE, f'identity-ids = ["{first}"]', ENVIRONMENT), "developer")
assert developer.startswith("ASIA"), developer
developer, = details(check(CHAIN, f'identity-ids = ["{first}"]', ENVIRONMENT), "developer")
assert developer == "AKIA…ENVE (the default provider chain)", developer

# Web identity, as continuous integration has it.
web = {
    "AWS_WEB_IDENTITY_TOKEN_FILE": str(folder / "token"),
    "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/syncspec",
    "AWS_ROLE_SESSION_NAME": "syncspec",
}
developer, = details(check(CHAIN, f'identity-ids = ["{first}"]', web), "developer")
assert developer.startswith("ASIA…"), developer

# Nothing at all: the cases that need it are lost, and only those.
document = check(CHAIN, f'identity-ids = ["{first}"]')
reasons = [skipped["reason"] for skipped in document["skipped"]]
assert any(reason.startswith("no developer credentials: the default provider chain: ") for reason in reasons), reasons
assert 0 < document["runnable"] < document["cases"], document

# Users of a developer provider, signed in by the developer. (moto keeps no list of them.)
signed_in = 'identities = 2\ndeveloper-provider = "login.my.app"'
once = check(PROFILE, signed_in, None, "--make-identities")
assert len(once["identities"]) == 2 and known() == {first}, once

# New identities: the program says what it made and could not take back.
before = known()
document = check(PROFILE, "identities = 3", None, "--make-identities")
assert len(document["identities"]) == 3, document
left = [line["detail"] for line in document["checks"] if line["what"] == "left behind"]
for identity in known() - before:
    assert any(identity in sentence for sentence in left), (identity, left)

# Requests are signed with the keys that moto gave.
path = target(PROFILE, f'identity-ids = ["{first}"]')
done = run(["run", "list-datasets/", "--no-probe", "--target", path, "--report-dir", folder / "report"])
recorded = (folder / "report" / "run.jsonl").read_text()
assert f'Credential={moto_secret["AccessKeyId"]}/' in recorded, done.stdout
for secret in [*SECRETS, moto_secret["SecretKey"], moto_secret["SessionToken"]]:
    assert secret not in recorded, secret

# What a run made is told of when it cannot be taken back.
before = known()
done = run(["run", "list-datasets/", "--no-probe", "--target", target(PROFILE, "identities = 1"), "--report-dir", folder / "more"])
made, = known() - before
assert f"left behind: pool {pool}: identities {made} could not be deleted" in done.stderr, done.stderr

moto.stop()
print("credentials come from moto's Cognito Identity and STS, and from nowhere else")
