"""Creates the stack of docs/aws/template.yaml in moto and looks at what was made.

The policies and trusts of docs/aws/*.json must be in the stack as they are in the
files, once the names are filled in; the outputs must be the keys of a target file,
one by one, and the whole one in the output `TargetFile`. What the stack leaves out
without a parameter must come with it.

moto's CloudFormation knows no identity pools. So the pool is made by itself, with the
properties that the template says, and stands in for that resource; whether its form is
right is for cfn-lint to say.

usage: template.py   (needs boto3 and moto[server]; starts moto itself)
"""

import ast
import contextlib
import copy
import json
import logging
import os
import pathlib
import tomllib

import boto3
import yaml
from moto.server import ThreadedMotoServer

FOLDER = pathlib.Path(__file__).parent.parent / "docs" / "aws"
REGION = "eu-central-1"
ACCOUNT = "123456789012"
APPLICATION = f"arn:aws:sns:{REGION}:{ACCOUNT}:app/GCM/syncspec"
REPOSITORY = "somebody/something"

# Output and place in the target file.
KEYS = {
    "Endpoint": ["endpoint"],
    "Region": ["region"],
    "IdentityPoolId": ["identity-pool-id"],
    "DeveloperProvider": ["cognito-identity", "developer-provider"],
    "StreamName": ["kinesis", "stream-name"],
    "StreamRoleArn": ["kinesis", "role-arn"],
    "FunctionArn": ["lambda", "function-arn"],
    "ApplicationArn": ["sns", "application-arn"],
    "PushRoleArn": ["sns", "role-arn"],
}
ABOUT_ROLES = {"DeveloperPolicyArn", "NightlyRoleArn", "TargetFile"}


def equal(found, expected, what):
    assert found == expected, f"{what}:\n  found    {found}\n  expected {expected}"


def client(service, endpoint):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def document(name, **words):
    """A document of docs/aws with its words in capitals filled in."""
    text = (FOLDER / name).read_text()
    # The longest first: POOL is a part of nothing, but STREAM is of STREAM_ROLE.
    for word, value in sorted({"REGION": REGION, "ACCOUNT": ACCOUNT, **words}.items(), key=lambda at: -len(at[0])):
        text = text.replace(word, value)
    return json.loads(text)


def as_lists(statement):
    """One form for what IAM lets be a text or a list of one; and without the nothing
    that moto puts where CloudFormation leaves out an `AWS::NoValue`."""

    def listed(value):
        return [entry for entry in ([value] if isinstance(value, str) else value) if entry is not None]

    return {key: listed(value) if key in ("Action", "Resource") else value for key, value in statement.items()}


def same_policy(found, expected, what):
    found["Statement"] = [as_lists(statement) for statement in found["Statement"]]
    equal(found, expected, what)
    # IAM's limit for a managed policy; blanks do not count.
    assert len(json.dumps(found).replace(" ", "")) < 6144, f"{what} is too long"


class Loader(yaml.SafeLoader):
    """Reads the short forms of CloudFormation's functions as the long ones."""

    def function(self, name, node):
        value = {
            yaml.ScalarNode: self.construct_scalar,
            yaml.SequenceNode: lambda node: self.construct_sequence(node, deep=True),
            yaml.MappingNode: lambda node: self.construct_mapping(node, deep=True),
        }[type(node)](node)
        if name == "GetAtt":
            value = value.split(".")
        return {name if name == "Ref" else f"Fn::{name}": value}


Loader.add_multi_constructor("!", Loader.function)
TEMPLATE = yaml.load((FOLDER / "template.yaml").read_text(), Loader)


def with_pool(endpoint, parameters):
    """The template with a pool that exists, and its parameters with that pool."""
    template = copy.deepcopy(TEMPLATE)
    values = {name: value["Default"] for name, value in template["Parameters"].items()} | parameters
    properties = template["Resources"].pop("Pool")["Properties"]
    properties = {key: values[value["Ref"]] if isinstance(value, dict) else value for key, value in properties.items()}
    made = client("cognito-identity", endpoint).create_identity_pool(**properties)
    template["Parameters"]["Pool"] = {"Type": "String"}
    attachment = template["Resources"].pop("RolesOfThePool")["Properties"]
    equal(attachment["IdentityPoolId"], {"Ref": "Pool"}, "the pool that gets the roles")
    roles = {"authenticated": "AuthenticatedRole", "unauthenticated": "UnauthenticatedRole"}
    equal(attachment["Roles"], {kind: {"Fn::GetAtt": [role, "Arn"]} for kind, role in roles.items()}, "its roles")
    return json.dumps(template), parameters | {"Pool": made["IdentityPoolId"]}


class Stack:
    def __init__(self, endpoint, name, **parameters):
        cloud = client("cloudformation", endpoint)
        self.endpoint = endpoint
        template, parameters = with_pool(endpoint, parameters)
        cloud.create_stack(
            StackName=name,
            TemplateBody=template,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        stack = cloud.describe_stacks(StackName=name)["Stacks"][0]
        equal(stack["StackStatus"], "CREATE_COMPLETE", name)
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        resources = cloud.list_stack_resources(StackName=name)["StackResourceSummaries"]
        self.made = {made["LogicalResourceId"]: made["PhysicalResourceId"] for made in resources}
        self.iam = client("iam", endpoint)

    def trust(self, role):
        return self.iam.get_role(RoleName=self.made[role])["Role"]["AssumeRolePolicyDocument"]

    def inline(self, role, policy):
        # moto keeps the inline policies of a stack in Python's form, not as JSON.
        return ast.literal_eval(self.iam.get_role_policy(RoleName=self.made[role], PolicyName=policy)["PolicyDocument"])

    def managed(self, arn):
        version = self.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        return self.iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]

    def attached(self, role):
        policies = self.iam.list_attached_role_policies(RoleName=self.made[role])["AttachedPolicies"]
        return [policy["PolicyArn"] for policy in policies]


def target_file(outputs):
    target = tomllib.loads(outputs["TargetFile"])
    assert len(outputs["TargetFile"]) < 1024, "an output should not be longer"
    equal(set(outputs) - ABOUT_ROLES, {key for key in KEYS if key in outputs}, "outputs")
    known = tomllib.loads((FOLDER / "target.toml").read_text())
    flat = lambda table: {(key, inner) for key, value in table.items() for inner in (value if isinstance(value, dict) else [""])}
    equal(flat(target) - flat(known), set(), "keys of the output that docs/aws/target.toml does not explain")
    for output, path in KEYS.items():
        value = target
        for key in path:
            value = (value or {}).get(key)
        equal(value, outputs.get(output), f"output {output} in the target file")
    return target


def pool(stack):
    identity = client("cognito-identity", stack.endpoint)
    made = identity.describe_identity_pool(IdentityPoolId=stack.outputs["IdentityPoolId"])
    equal(made["AllowUnauthenticatedIdentities"], True, "unauthenticated identities")
    equal(made["DeveloperProviderName"], stack.outputs["DeveloperProvider"], "developer provider")


def documents(stack, with_push):
    outputs, made = stack.outputs, stack.made
    words = {"POOL": outputs["IdentityPoolId"], "STREAM": outputs["StreamName"], "FUNCTION": outputs["FunctionArn"]}
    developer = document("developer-policy.json", **words, STREAM_ROLE=outputs["StreamRoleArn"], PUSH_ROLE=outputs.get("PushRoleArn", ""))
    if not with_push:
        developer["Statement"][-1]["Resource"].remove("")
    same_policy(stack.managed(outputs["DeveloperPolicyArn"]), developer, "developer policy")
    identity_policy = made["IdentityPolicy"]
    same_policy(stack.managed(identity_policy), document("identity-policy.json", **words), "identity policy")
    for role, kind in [("AuthenticatedRole", "authenticated"), ("UnauthenticatedRole", "unauthenticated")]:
        equal(stack.attached(role), [identity_policy], f"policies of {role}")
        same_policy(stack.trust(role), document("identity-trust.json", **words, CLASS=kind), f"trust of {role}")
    same_policy(stack.trust("StreamRole"), document("service-trust.json", **words), "trust of the stream's role")
    same_policy(stack.inline("StreamRole", "stream"), document("stream-policy.json", **words), "policy of the stream's role")
    if with_push:
        same_policy(stack.trust("PushRole"), document("service-trust.json", **words), "trust of the push role")
        same_policy(stack.inline("PushRole", "push"), document("push-policy.json"), "policy of the push role")
    equal(stack.attached("FunctionRole"), [], "policies of the function's role")


def function(stack):
    functions = client("lambda", stack.endpoint)
    arn = stack.outputs["FunctionArn"]
    granted = json.loads(functions.get_policy(FunctionName=arn)["Policy"])["Statement"]
    expected = document("function-permission.json", FUNCTION=arn, POOL=stack.outputs["IdentityPoolId"])["Statement"]
    plain = json.loads(json.dumps(granted).replace("AWS:Source", "aws:Source"))
    # moto names the statement, and keeps the function's name in it.
    left_out = ("Sid", "FunctionName")
    bare = lambda statement: {key: value for key, value in as_lists(statement).items() if key not in left_out}
    equal([bare(statement) for statement in plain], [bare(statement) for statement in expected], "who may call the function")


def handler():
    """The function's text, run: it gives its event back, all of it."""
    names = {}
    exec(TEMPLATE["Resources"]["Function"]["Properties"]["Code"]["ZipFile"], names)
    record = {"oldValue": "1", "newValue": "2", "op": "replace"}
    event = {
        "version": 2,
        "eventType": "SyncTrigger",
        "region": REGION,
        "identityPoolId": f"{REGION}:pool",
        "identityId": f"{REGION}:identity",
        "datasetName": "saves",
        "datasetRecords": {"score": record, "old": {**record, "newValue": None, "op": "remove"}},
    }
    equal(names["handler"](json.loads(json.dumps(event)), None), event, "the function's answer")


def main():
    # The outputs, not this machine's settings, must say where everything is.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    with contextlib.ExitStack() as end:
        end.callback(server.stop)
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        least = Stack(endpoint, "least")
        most = Stack(endpoint, "most", PoolName="nightly", ApplicationArn=APPLICATION, Repository=REPOSITORY)
        for stack, with_push in [(least, False), (most, True)]:
            equal("PushRole" in stack.made, with_push, "a push role")
            equal("NightlyRole" in stack.made, with_push, "a role for the repository")
            equal("sns" in target_file(stack.outputs), with_push, "[sns]")
            pool(stack)
            documents(stack, with_push)
            function(stack)
        equal(most.attached("NightlyRole"), [most.outputs["DeveloperPolicyArn"]], "policies of the nightly role")
        owner, name = REPOSITORY.split("/")
        same_policy(most.trust("NightlyRole"), document("nightly-trust.json", OWNER=owner, REPOSITORY=name), "trust of the nightly role")
    handler()
    print(f"the stack was made twice, with {len(least.outputs)} and {len(most.outputs)} outputs, as docs/aws says")


main()
