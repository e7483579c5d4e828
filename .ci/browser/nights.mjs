// Makes nights of two recorded runs, one in which all is well and one of a broken server:
// `nights.mjs GOOD BROKEN OUT`. Below OUT come `old` and `new`, which differ in one verdict,
// one added and one vanished case, and `history`, a folder of eleven nights of one target
// with whatever a history may have.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const [good, broken, out] = process.argv.slice(2);
const read = (file) => readFileSync(file, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
const split = ([header, ...events]) => ({ header, footer: events.pop(), results: events });
const [well, ill] = [split(read(good)), split(read(broken))];
const failed = new Map(ill.results.filter(({ verdict }) => verdict === "fail").map((one) => [one.case, one]));

// A record of these results, with whatever its header is to have otherwise.
function write(path, results, { header = {}, ends = true, kept = results.length } = {}) {
  const totals = Object.fromEntries(Object.keys(well.footer.totals).map((name) => [name, 0]));
  for (const { verdict } of results) totals[verdict] += 1;
  const footer = { ...well.footer, totals, exit: totals.fail > 0 ? 1 : 0 };
  const events = [{ ...well.header, target: ill.header.target, rerun: ill.header.rerun, selected: results.length, ...header }, ...results.slice(0, kept), ...(ends ? [footer] : [])];
  const file = join(out, path, "run.jsonl");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, events.map((event) => JSON.stringify(event) + "\n").join(""));
}

// ---- two nights ---------------------------------------------------------
const results = well.results.toSorted((a, b) => (a.case < b.case ? -1 : 1));
const [vanished, added] = [results.find(({ action }) => action === "ListRecords"), results.find(({ action }) => action === "DeleteDataset")];
const turned = results.find((one) => failed.has(one.case));
const without = (gone) => results.filter((one) => one !== gone);
write("old", without(added), { header: { started: "2026-03-01T02:00:00Z" } });
write("new", without(vanished).map((one) => (one === turned ? failed.get(one.case) : one)), { header: { started: "2026-03-02T02:00:00Z" } });

// ---- a history ----------------------------------------------------------
// The day of the month, and how many cases fail; then what is special about the night.
const nights = [[1, 0], [2, 0], [3, 2], [4, 2], [5, 34, { ends: false, kept: 700 }], [6, 9], [7, 9], [15, 4], [16, 4], [17, 1], [18, 0]];
for (const [day, failing, more = {}] of nights) {
  let left = failing;
  const night = results.map((one) => (failed.has(one.case) && left-- > 0 ? failed.get(one.case) : one));
  const name = `2026-03-${String(day).padStart(2, "0")}`;
  // From the 16th on, with another suite.
  const suite = day < 16 ? {} : { "suite-digest": "f".repeat(64) };
  write(join("history", `${name}T020000Z`), night, { header: { started: `${name}T02:00:00Z`, ...suite }, ...more });
}
mkdirSync(join(out, "history", "foreign"), { recursive: true });
writeFileSync(join(out, "history", "foreign", "log.jsonl"), '{"level":"info","message":"not ours"}\n');
