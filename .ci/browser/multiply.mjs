// Makes a recorded run of many results from a small one: `multiply.mjs RUN MANY OUT`.
import { readFileSync, writeFileSync } from "node:fs";

const [from, many, to] = process.argv.slice(2);
const [header, ...events] = readFileSync(from, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
const footer = events.pop();
const results = [], totals = {};
for (let copy = 0; results.length < Number(many); copy++) {
  for (const event of events.slice(0, Number(many) - results.length)) {
    const result = copy === 0 ? event : { ...event, case: `${event.case}/copy-${copy}` };
    results.push(result);
    totals[result.verdict] = (totals[result.verdict] ?? 0) + 1;
  }
}
header.selected = results.length;
for (const verdict of Object.keys(footer.totals)) footer.totals[verdict] = totals[verdict] ?? 0;
writeFileSync(to, [header, ...results, footer].map((event) => JSON.stringify(event) + "\n").join(""));
