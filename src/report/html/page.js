"use strict";
(() => {
  const STEP = 100;
  const get = (id) => document.getElementById(id);
  const index = JSON.parse(get("index").textContent);
  const [ID, VERDICT, ACTION, TIME, REQUIREMENTS, ABOUT, CAME] = [0, 1, 2, 3, 4, 5, 6];
  const make = (name, text, attributes = {}) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };

  // ---- theme --------------------------------------------------------------
  const theme = get("theme");
  const dark = () => (document.documentElement.dataset.theme ||
    (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const label = () => { theme.textContent = dark() ? "Light" : "Dark"; };
  theme.addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    label();
  });
  theme.hidden = false;
  label();

  // ---- all cases ----------------------------------------------------------
  // What is searched in is put together once: keystrokes must not wait for it.
  const requirement = index.requirements.map((id) => id.toLowerCase());
  const texts = index.cases.map((one) =>
    `${one[ID]} ${one[ABOUT]} ${one[CAME]}`.toLowerCase() + " " + one[REQUIREMENTS].map((n) => requirement[n]).join(" "));
  const numbers = index.verdicts.map((_, verdict) => index.cases.filter((one) => one[VERDICT] === verdict).length);
  const search = get("search"), action = get("action"), rows = get("rows"), more = get("more");
  for (const name of [...index.actions].sort()) action.append(make("option", name, { value: name }));
  const boxes = index.verdicts.map((name, verdict) => {
    const box = make("input", undefined, { type: "checkbox", value: name });
    box.checked = true;
    const label = make("label");
    label.append(box, ` ${name} (${numbers[verdict]})`);
    if (numbers[verdict] > 0) get("verdicts").append(label);
    return box;
  });

  let found = [], shown = 0;
  const time = (us) => us < 1000 ? `${us} µs` : us < 100000 ? `${(us / 1000).toFixed(1)} ms` : `${(us / 1e6).toFixed(1)} s`;
  const row = (one) => {
    const line = make("tr");
    const verdict = make("td");
    verdict.append(make("span", index.verdicts[one[VERDICT]], { class: `verdict ${index.verdicts[one[VERDICT]]}` }));
    const name = make("td");
    name.append(make("a", one[ID], { href: `#case/${one[ID]}`, class: "anchor" }));
    line.append(verdict, name, make("td", index.actions[one[ACTION]]), make("td", time(one[TIME])), make("td", one[CAME]));
    return line;
  };
  const add = () => {
    const next = found.slice(shown, shown + STEP);
    rows.append(...next.map((number) => row(index.cases[number])));
    shown += next.length;
    more.hidden = shown >= found.length;
    get("shown").textContent = `${found.length} of ${index.cases.length} cases` +
      (shown < found.length ? `, the first ${shown} are listed` : "");
  };
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = boxes.map((box) => box.checked);
    const only = action.value === "" ? -1 : index.actions.indexOf(action.value);
    found = [];
    index.cases.forEach((one, number) => {
      if (wanted[one[VERDICT]] && (only < 0 || one[ACTION] === only) && words.every((word) => texts[number].includes(word))) {
        found.push(number);
      }
    });
    shown = 0;
    rows.replaceChildren();
    add();
  };
  get("filter").addEventListener("input", filter);
  get("filter").addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", add);
  get("filter").hidden = false;
  get("list").hidden = false;
  filter();

  // A case without evidence of its own on the page is told below its row.
  const tell = (id) => {
    const number = index.cases.findIndex((one) => one[ID] === id);
    if (number < 0) return;
    if (!found.includes(number)) {
      search.value = id;
      action.value = "";
      boxes.forEach((box) => { box.checked = true; });
      filter();
    }
    while (shown <= found.indexOf(number)) add();
    const line = rows.querySelectorAll("tr:not(.more)")[found.indexOf(number)];
    rows.querySelectorAll(".more").forEach((old) => old.remove());
    const one = index.cases[number];
    const cell = make("td", undefined, { colspan: "5" });
    if (one[ABOUT]) cell.append(make("p", one[ABOUT]));
    const list = make("ul");
    for (const number of one[REQUIREMENTS]) list.append(make("li", index.requirements[number]));
    const word = /^[\w@%+=:,./-]+$/.test(id) ? id : `'${id.replaceAll("'", "'\\''")}'`;
    cell.append(make("p", "It shows:"), list, make("pre", `${index.rerun} ${word}`, { class: "command", tabindex: "0" }));
    const detail = make("tr", undefined, { class: "more" });
    detail.append(cell);
    line.after(detail);
    line.querySelector("a").focus({ preventScroll: true });
    line.scrollIntoView({ block: "center" });
  };

  // ---- deep links -----------------------------------------------------------
  const follow = () => {
    const name = decodeURIComponent(location.hash.slice(1));
    const place = get(name);
    if (place) {
      for (let up = place; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
      place.scrollIntoView();
    } else if (name.startsWith("case/")) {
      tell(name.slice(5));
    } else if (name.startsWith("rule/")) {
      search.value = name.slice(5);
      filter();
      get("cases").scrollIntoView();
    }
  };
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
  if (location.hash) follow();
})();
