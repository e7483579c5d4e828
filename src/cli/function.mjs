// A function for the event SyncTrigger of Amazon Cognito Sync: it answers as the cases of
// a suite want it. Printed by `syncspec target function`, for a target file with
// `scripted = true`; runs on AWS Lambda's runtimes for Node.js from version 18 on.
//
// It follows the script whose digest ends the dataset's name, and answers any other event
// unchanged. It keeps nothing, calls nobody, and needs no permission.

// The digest of each script, and the script, under the cases that have it.
const SCRIPTS = new Map([
  // SCRIPTS
]);

export const handler = async (event) => answer(SCRIPTS.get(digest(event)), event);

const digest = (event) => /\.([0-9a-f]{8})$/.exec(event?.datasetName)?.[1];

// What a script answers to an event.
export const answer = async (script, event) => {
  if (!script) return event;
  if (script.delayMs) await new Promise((done) => setTimeout(done, script.delayMs));
  if (script.fails) throw new Error("the function ended, as the case wants it");
  const text = JSON.stringify(event);
  if (Object.hasOwn(script, "answer")) return filled(script.answer, text);
  const root = { event: JSON.parse(text) };
  for (const [pointer, value] of script.set ?? []) put(root, pointer, filled(value, text));
  for (const pointer of script.remove ?? []) take(root, pointer);
  return root.event;
};

// Stands for the event, as JSON, within texts of scripts.
const EVENT = "\u0000event\u0000";

const filled = (value, event) => {
  if (typeof value === "string") return value.replaceAll(EVENT, () => event);
  if (Array.isArray(value)) return value.map((entry) => filled(entry, event));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, filled(entry, event)]));
};

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

// The names on the way of a JSON pointer.
const names = (pointer) =>
  pointer.split("/").slice(1).map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));

// The place that a name has in a list; none if it is no number.
const index = (name) => (/^\+?[0-9]+$/.test(name) ? Number(name) : undefined);

// Also where a name is that of something which every object has.
const get = (at, name) => (Object.hasOwn(at, name) ? at[name] : undefined);
const set = (at, name, value) =>
  Object.defineProperty(at, name, { value, writable: true, enumerable: true, configurable: true });

// Puts a value where a pointer leads. What is missing on the way is made; what is no
// object, or no list with that place or the next, is replaced.
const put = (root, pointer, value) => {
  let [parent, last] = [root, "event"];
  for (const name of names(pointer)) {
    let at = get(parent, last);
    const place = Array.isArray(at) ? index(name) : undefined;
    const isEntry = place !== undefined && place <= at.length;
    if (!isEntry && !isObject(at)) set(parent, last, (at = {}));
    [parent, last] = [at, isEntry ? place : name];
  }
  set(parent, last, value);
};

// Leaves out what a pointer leads to, if it leads anywhere.
const take = (root, pointer) => {
  const way = names(pointer);
  const last = way.pop();
  let at = root.event;
  for (const name of way) {
    at = Array.isArray(at) ? at[index(name)] : isObject(at) ? get(at, name) : undefined;
  }
  if (last === undefined) return;
  if (isObject(at)) delete at[last];
  else if (Array.isArray(at) && index(last) < at.length) at.splice(index(last), 1);
};
