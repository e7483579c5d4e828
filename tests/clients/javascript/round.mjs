// The unmodified AWS SDK for JavaScript, version 3, against `syncspec serve`: all 17
// actions, errors by class, pages, values that are absent, retries, and clocks that differ.
//
// usage: node round.mjs ENDPOINT AHEAD BEHIND
//
// All three serve tests/clients/world.toml. ENDPOINT lets faults be changed
// (--fault-control); the clocks of AHEAD and BEHIND are an hour off (--clock-offset).

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import * as sync from "@aws-sdk/client-cognito-sync";
import { CognitoSyncClient } from "@aws-sdk/client-cognito-sync";

const [endpoint, ahead, behind] = process.argv.slice(2);
process.env.AWS_REGION = "us-east-1";
process.env.AWS_ACCESS_KEY_ID = "AKIADEVELOPER";
process.env.AWS_SECRET_ACCESS_KEY = "developer-secret";
const credentials = { accessKeyId: "ASIAUSER", secretAccessKey: "user-secret", sessionToken: "user-token" };

const pool = { IdentityPoolId: "us-east-1:0a1b2c3d-0000-4000-8000-000000000000" };
const identity = { ...pool, IdentityId: "us-east-1:1a2b3c4d-0000-4000-8000-000000000000" };
const dataset = { ...identity, DatasetName: "settings:javascript" };
const role = "arn:aws:iam::123456789012:role/sync";
const application = "arn:aws:sns:us-east-1:123456789012:app/GCM/app";
const trigger = "arn:aws:lambda:us-east-1:123456789012:function:trigger";

const developer = new CognitoSyncClient({ endpoint: endpoint });
const user = new CognitoSyncClient({ endpoint, credentials });

// Sends the command of this name, such as `ListRecords`.
const called = new Set();
const call = (client, name, input) => {
  called.add(name);
  return client.send(new sync[`${name}Command`](input));
};

// The call is refused with this class of exception.
const refused = async (error, calling) => {
  const exception = await calling.then(() => assert.fail(`not refused with ${error}`), (exception) => exception);
  assert.equal(exception.name, error, exception);
  // One that the model lacks has the class of all of them.
  assert.ok(exception instanceof (sync[error] ?? sync.CognitoSyncServiceException), exception);
  assert.ok(exception.message);
  return exception;
};

// Has the server fail in these ways from now on.
const faults = async (...faults) => {
  const answer = await fetch(`${endpoint}/_syncspec/faults`, { method: "PUT", body: JSON.stringify(faults) });
  assert.equal(answer.status, 200, await answer.text());
};

// How many requests came since then.
const requests = async () => (await (await fetch(`${endpoint}/_syncspec/faults`)).json()).faults[0].requests;

const patch = (Key, SyncCount, Value = "välue") => ({ Op: "replace", Key, Value, SyncCount });
const update = async (...RecordPatches) => {
  const { SyncSessionToken } = await call(user, "ListRecords", dataset);
  return call(user, "UpdateRecords", { ...dataset, SyncSessionToken, RecordPatches, ClientContext: "{}" });
};

// Everything in pages of one; the SDK has no paginators for this service.
const pages = async (client, name, key, input) => {
  const all = [];
  let NextToken;
  do {
    const page = await call(client, name, { ...input, MaxResults: 1, NextToken });
    assert.ok(page[key].length <= 1);
    all.push(...page[key]);
    NextToken = page.NextToken;
  } while (NextToken);
  return all;
};

const records = async () => {
  const said = new Date("2020-01-01T00:00:00.123Z");
  const fresh = await call(user, "ListRecords", dataset);
  // What is null is undefined.
  assert.deepEqual([fresh.NextToken, fresh.LastModifiedBy], [undefined, undefined]);
  assert.deepEqual([fresh.Records, fresh.Count, fresh.DatasetSyncCount], [[], 0, 0]);
  assert.deepEqual([fresh.DatasetExists, fresh.DatasetDeletedAfterRequestedSyncCount], [false, false]);
  const { Records: written } = await update({ ...patch("a", 0), DeviceLastModifiedDate: said }, patch("b", 0, ""));
  assert.deepEqual(written.map((record) => record.SyncCount), [1, 1]);
  assert.deepEqual([written[0].DeviceLastModifiedDate, written[1].Value], [said, ""]);
  assert.ok(Math.abs(Date.now() - written[0].LastModifiedDate) < 60_000);
  await update({ Op: "remove", Key: "b", SyncCount: 1 });
  const { Records: removed } = await call(user, "ListRecords", { ...dataset, LastSyncCount: 1 });
  assert.deepEqual(removed.map((record) => [record.Key, record.Value, record.SyncCount]), [["b", undefined, 2]]);
  const listed = await pages(user, "ListRecords", "Records", dataset);
  assert.deepEqual(listed.map((record) => record.Key).sort(), ["a", "b"]);
  const { Dataset: described } = await call(user, "DescribeDataset", dataset);
  assert.deepEqual([described.NumRecords, described.DataStorage], [1, 7]);
  const another = { ...identity, DatasetName: "another" };
  const { SyncSessionToken } = await call(user, "ListRecords", another);
  await call(user, "UpdateRecords", { ...another, SyncSessionToken, RecordPatches: [patch("a", 0)] });
  assert.equal((await pages(user, "ListDatasets", "Datasets", identity)).length, 2);
  assert.equal((await call(user, "DeleteDataset", another)).Dataset.NumRecords, 1);
};

const devices = async () => {
  const register = { ...identity, Platform: "GCM", Token: "push-token" };
  await refused("InvalidConfigurationException", call(user, "RegisterDevice", register));
  const PushSync = { ApplicationArns: [application], RoleArn: role };
  await call(developer, "SetIdentityPoolConfiguration", { ...pool, PushSync });
  assert.deepEqual((await call(developer, "GetIdentityPoolConfiguration", pool)).PushSync, PushSync);
  const { DeviceId } = await call(user, "RegisterDevice", register);
  await call(user, "SubscribeToDataset", { ...dataset, DeviceId });
  await call(user, "UnsubscribeFromDataset", { ...dataset, DeviceId });
};

const pools = async () => {
  await call(developer, "SetCognitoEvents", { ...pool, Events: { SyncTrigger: trigger } });
  assert.deepEqual((await call(developer, "GetCognitoEvents", pool)).Events, { SyncTrigger: trigger });
  await call(developer, "SetCognitoEvents", { ...pool, Events: { SyncTrigger: "" } });
  assert.deepEqual((await call(developer, "GetCognitoEvents", pool)).Events ?? {}, {});
  const CognitoStreams = { StreamName: "changes", RoleArn: role, StreamingStatus: "ENABLED" };
  await call(developer, "SetIdentityPoolConfiguration", { ...pool, CognitoStreams });
  await call(developer, "BulkPublish", pool);
  let details;
  while ((details = await call(developer, "GetBulkPublishDetails", pool)).BulkPublishStatus !== "SUCCEEDED") await sleep(100);
  assert.ok(details.BulkPublishStartTime <= details.BulkPublishCompleteTime);
  await refused("AlreadyStreamedException", call(developer, "BulkPublish", pool));
  const { IdentityPoolUsage: usage } = await call(developer, "DescribeIdentityPoolUsage", pool);
  assert.deepEqual([usage.DataStorage, usage.SyncSessionsCount], [7, undefined]);
  assert.equal((await call(developer, "DescribeIdentityUsage", identity)).IdentityUsage.DatasetCount, 1);
  assert.equal((await pages(developer, "ListIdentityPoolUsage", "IdentityPoolUsages", {})).length, 3);
};

const errors = async () => {
  await refused("ResourceConflictException", update(patch("a", 0)));
  await refused("InvalidParameterException", call(user, "ListRecords", { ...dataset, LastSyncCount: 9 }));
  await refused("NotAuthorizedException", call(user, "GetCognitoEvents", pool));
  const tooMuch = [patch("x", 0, "x".repeat(600_000)), patch("y", 0, "x".repeat(600_000))];
  // To the SDK this is throttling: all attempts are used up.
  assert.equal((await refused("LimitExceededException", update(...tooMuch))).$metadata.attempts, 3);
  await call(user, "DeleteDataset", dataset);
  const missing = await refused("ResourceNotFoundException", call(user, "DescribeDataset", dataset));
  assert.deepEqual([missing.$metadata.httpStatusCode, missing.$metadata.attempts], [404, 1]);
  // Those that need other services, or luck. The model lacks the last one.
  for (const [error, calling] of Object.entries({
    ConcurrentModificationException: () => call(developer, "SetIdentityPoolConfiguration", pool),
    DuplicateRequestException: () => call(developer, "BulkPublish", pool),
    InternalErrorException: () => call(user, "ListDatasets", identity),
    InvalidLambdaFunctionOutputException: () => update(patch("a", 0)),
    LambdaThrottledException: () => update(patch("a", 0)),
    TooManyRequestsException: () => call(user, "ListDatasets", identity),
    LambdaSocketTimeoutException: () => update(patch("a", 0)),
  })) {
    await faults(error);
    await refused(error, calling());
  }
};

const retries = async () => {
  for (const fault of ["TooManyRequestsException", "InternalErrorException", "cut-before"]) {
    await faults(`${fault}:ListDatasets:2`);
    assert.equal((await call(user, "ListDatasets", identity)).$metadata.attempts, 3, fault);
    assert.equal(await requests(), 3, fault);
  }
  // One that does not end.
  for (const fault of ["TooManyRequestsException", "InternalErrorException"]) {
    await faults(fault);
    assert.equal((await refused(fault, call(user, "ListDatasets", identity))).$metadata.attempts, 3);
    assert.equal(await requests(), 3, fault);
  }
  // When an answer is lost, the SDK sends the update again, whose token is used up by then.
  await faults("cut-after:UpdateRecords:1");
  await refused("InvalidParameterException", update(patch("lost", 0)));
  assert.equal(await requests(), 2);
  const { Records } = await call(user, "ListRecords", dataset);
  assert.ok(Records.some((record) => record.Key === "lost"), "it was written");
  await faults();
};

// The SDK learns the server's time from the refusal, and is right from then on.
const clocks = async () => {
  for (const other of [ahead, behind]) {
    const client = new CognitoSyncClient({ endpoint: other, credentials });
    assert.equal((await call(client, "ListDatasets", identity)).$metadata.attempts, 2);
    assert.equal((await call(client, "ListDatasets", identity)).$metadata.attempts, 1);
    // One that must not retry is refused, and right the next time.
    const single = new CognitoSyncClient({ endpoint: other, credentials, maxAttempts: 1 });
    const error = await refused("InvalidSignatureException", call(single, "ListDatasets", identity));
    assert.match(error.message, other === ahead ? /^Signature expired/ : /^Signature not yet current/);
    await call(single, "ListDatasets", identity);
  }
};

// Nothing in the program says where the server is.
const environment = async () => {
  process.env.AWS_ENDPOINT_URL_COGNITO_SYNC = endpoint;
  assert.equal((await call(new CognitoSyncClient({}), "ListIdentityPoolUsage", {})).Count, 3);
};

for (const part of [records, devices, pools, errors, retries, clocks, environment]) await part();
const actions = Object.keys(sync).filter((name) => /^[A-Z].*[a-z]Command$/.test(name)).map((name) => name.slice(0, -7));
assert.deepEqual([...called].sort(), actions.sort());
console.log(`AWS SDK for JavaScript ${(await import("@aws-sdk/client-cognito-sync/package.json", { with: { type: "json" } })).default.version}: ${called.size} actions`);
