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

  // ---- all cases ----------------------------------------------------------
  // What is searched in is put together once: keystrokes must not wait for it.
  const requirement = index.requirements.map((id) => id.toLowerCase());
  const texts = index.cases.map((one) =>
    `${one[ID]} ${one[ABOUT]} ${one[CAME]}`.toLowerCase() + " " + one[REQUIREMENTS].map((n) => requirement[n]).join(" "));
  const places = new Map(index.cases.map((one, number) => [one[ID], number]));
  const numbers = index.verdicts.map(() => 0);
  index.cases.forEach((one) => { numbers[one[VERDICT]] += 1; });
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
    const verdict = make("td"), name = make("td");
    verdict.append(make("span", index.verdicts[one[VERDICT]], { class: `verdict ${index.verdicts[one[VERDICT]]}` }));
    name.append(make("a", one[ID], { href: `#case/${one[ID]}`, class: "anchor" }));
    if (one[CAME]) name.append(make("span", one[CAME], { class: "came" }));
    line.append(verdict, name, make("td", index.actions[one[ACTION]]), make("td", time(one[TIME]), { class: "number" }));
    return line;
  };
  const add = () => {
    const next = found.slice(shown, shown + STEP);
    rows.append(...next.map((number) => row(index.cases[number])));
    shown += next.length;
    more.hidden = shown >= found.length;
    get("shown").textContent = `${found.length.toLocaleString("en")} of ${index.cases.length.toLocaleString("en")} cases` +
      (shown < found.length ? `, the first ${shown.toLocaleString("en")} are listed` : "");
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

  // What is chosen stands in the address, so that it can be sent to somebody.
  const chosen = () => {
    const all = new URLSearchParams();
    if (search.value) all.set("q", search.value);
    if (action.value) all.set("action", action.value);
    if (!boxes.every((box) => box.checked)) all.set("verdict", boxes.filter((box) => box.checked).map((box) => box.value).join(","));
    return all.size > 0 ? `#cases?${all}` : "#cases";
  };
  const choose = (text) => {
    const all = new URLSearchParams(text), verdicts = all.get("verdict")?.split(",");
    search.value = all.get("q") ?? "";
    action.value = all.get("action") ?? "";
    if (action.selectedIndex < 0) action.value = "";
    boxes.forEach((box) => { box.checked = !verdicts || verdicts.includes(box.value); });
    filter();
  };
  get("filter").addEventListener("input", () => {
    filter();
    try { history.replaceState(null, "", chosen()); } catch { /* some browsers allow no address to be changed so often */ }
  });
  get("filter").addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => {
    const before = shown;
    add();
    rows.querySelectorAll("tr:not(.more)")[before]?.querySelector("a").focus({ preventScroll: true });
  });
  get("filter").hidden = false;
  get("list").hidden = false;
  filter();

  // A case without evidence of its own on the page is told below its row.
  const tell = (id) => {
    const number = places.get(id);
    if (number === undefined) return;
    if (!found.includes(number)) choose(new URLSearchParams({ q: id }));
    while (shown <= found.indexOf(number)) add();
    const line = rows.querySelectorAll("tr:not(.more)")[found.indexOf(number)];
    rows.querySelectorAll(".more").forEach((old) => old.remove());
    const one = index.cases[number];
    const cell = make("td", undefined, { colspan: "4" });
    if (one[ABOUT]) cell.append(make("p", one[ABOUT]));
    const list = make("ul");
    for (const number of one[REQUIREMENTS]) list.append(make("li", index.requirements[number]));
    const word = /^[\w@%+=:,./-]+$/.test(id) ? id : `'${id.replaceAll("'", "'\\''")}'`;
    const command = make("pre", `${index.rerun} ${word}`, { class: "copy", tabindex: "0" });
    cell.append(make("p", "It shows:"), list, make("p", "Run this case alone", { class: "label" }), command);
    const detail = make("tr", undefined, { class: "more" });
    detail.append(cell);
    line.after(detail);
    copyable(command);
    line.querySelector("a").focus({ preventScroll: true });
    line.scrollIntoView({ block: "center" });
  };

  // ---- deep links -----------------------------------------------------------
  const follow = () => {
    let name = location.hash.slice(1);
    if (name.startsWith("cases?")) {
      choose(name.slice(6));
      get("cases").scrollIntoView();
      return;
    }
    try { name = decodeURIComponent(name); } catch { return; }
    const place = get(name);
    if (place) {
      for (let up = place; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
      place.scrollIntoView();
      const focus = place.querySelector("summary, a");
      if (place.matches(".group, .case, li")) focus?.focus({ preventScroll: true });
    } else if (name.startsWith("case/")) {
      tell(name.slice(5));
    } else if (name.startsWith("rule/")) {
      choose(new URLSearchParams({ q: name.slice(5) }));
      get("cases").scrollIntoView();
    }
  };
  addEventListener("hashchange", follow);
  // A link to where one is already changes nothing, and is to be followed all the same.
  addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#']");
    if (link && link.getAttribute("href") === location.hash) follow();
  });
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => { opened.forEach((one) => { one.open = false; }); });
  if (location.hash) follow();
})();
