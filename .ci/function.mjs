// The function that `syncspec target function` prints: it answers as the harness does
// (tests/data/function-vectors.json), and behind a small server for Lambda's Invoke the
// cases that it can follow pass against `syncspec serve`. With a function that follows no
// script in its place, those fail whose rule is not open.
//
// usage: function.mjs PROGRAM   (needs nothing but Node.js)

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

const program = path.resolve(process.argv[2]);
const vectors = JSON.parse(readFileSync(new URL("../tests/data/function-vectors.json", import.meta.url)));
const folder = mkdtempSync(path.join(tmpdir(), "syncspec-function-"));

// Cases of the built-in suite that the function follows, and those of them that notice when
// it does not; more may come.
const FEWEST = 15;
const FEWEST_NOTICING = 10;

const json = (value) => JSON.parse(JSON.stringify(value ?? null));

async function answers({ answer, handler }) {
  for (const { name, script, event, answer: expected } of vectors) {
    const before = JSON.stringify(event);
    assert.deepEqual(json(await answer(script, event)), expected, name);
    assert.equal(JSON.stringify(event), before, `${name}: the event is still what it was`);
  }
  await assert.rejects(answer({ fails: true }, {}));
  const before = Date.now();
  assert.deepEqual(await answer({ delayMs: 200 }, { a: 1 }), { a: 1 });
  assert.ok(Date.now() - before >= 190, "it takes its time");
  for (const event of [{}, { datasetName: "d" }, { datasetName: "d.00000000" }, { datasetName: "d.0000000g" }]) {
    assert.equal(await handler(event), event, "an event of no script");
  }
}

// Answers Invoke as Lambda does for a function in Node.js.
async function lambda(handler) {
  const invoked = [];
  const server = createServer(async (request, response) => {
    const [, name] = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(request.url) ?? [];
    const body = [];
    for await (const chunk of request) body.push(chunk);
    if (request.method !== "POST" || !name) return response.writeHead(404).end();
    invoked.push(decodeURIComponent(name));
    try {
      const answered = await handler(JSON.parse(Buffer.concat(body)));
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answered ?? null));
    } catch (error) {
      const said = { errorType: error.name, errorMessage: error.message, trace: [] };
      response.writeHead(200, { "x-amz-function-error": "Unhandled" }).end(JSON.stringify(said));
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, invoked, endpoint: `http://127.0.0.1:${server.address().port}` };
}

// The results of the suite's cases about the function, with this handler behind it.
async function run(handler, name) {
  const { server, invoked, endpoint } = await lambda(handler);
  const target = path.join(folder, `${name}.toml`);
  const reference = spawn(
    program,
    ["serve", "--listen", "127.0.0.1:0", "--log", "off", "--write-target", target],
    { env: { ...process.env, AWS_ENDPOINT_URL_LAMBDA: endpoint }, stdio: ["ignore", "ignore", "inherit"] },
  );
  try {
    for (let tries = 0; !(existsSync(target) && readFileSync(target, "utf8")); tries += 1) {
      assert.ok(tries < 200 && reference.exitCode === null, "the server begins");
      await new Promise((done) => setTimeout(done, 100));
    }
    const text = readFileSync(target, "utf8");
    const scripted = text.replace(/^function-arn = .*$/m, "$&\nscripted = true");
    assert.notEqual(scripted, text);
    writeFileSync(target, scripted);
    const report = path.join(folder, name);
    const args = ["run", "--target", target, "--report-dir", report, "update-records/trigger"];
    // Not waited for in this thread, which answers for Lambda.
    const ran = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    ran.stdout.on("data", (data) => (said += data));
    const [code] = await once(ran, "close");
    const lines = readFileSync(path.join(report, "run.jsonl"), "utf8").trim().split("\n").map(JSON.parse);
    return { code, said, invoked, results: lines.filter((line) => line.type === "result") };
  } finally {
    server.close();
    server.closeAllConnections();
    reference.kill("SIGINT");
    if (reference.exitCode === null) await once(reference, "exit");
  }
}

try {
  const file = path.join(folder, "index.mjs");
  writeFileSync(file, execFileSync(program, ["target", "function"]));
  const module = await import(pathToFileURL(file));
  await answers(module);

  const whole = await run(module.handler, "whole");
  const verdicts = (wanted) => whole.results.filter(({ verdict }) => verdict === wanted);
  assert.equal(whole.code, 0, whole.said);
  assert.ok(verdicts("pass").length + verdicts("warn").length >= FEWEST, whole.said);
  assert.ok(verdicts("skipped").length > 0 && whole.invoked.length >= FEWEST);

  // The same without scripts.
  const echo = await run(async (event) => event, "echo");
  assert.equal(echo.code, 1, echo.said);
  const failed = echo.results.filter(({ verdict }) => verdict === "fail");
  assert.ok(failed.length >= FEWEST_NOTICING, echo.said);
  console.log(
    `${verdicts("pass").length} cases pass with the function, ${verdicts("warn").length} warn, ` +
      `${verdicts("skipped").length} need the harness; without scripts ${failed.length} fail`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
