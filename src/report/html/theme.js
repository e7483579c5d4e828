"use strict";
(() => {
  // Where a page may keep nothing, as a file in some browsers, the choice lasts as
  // long as the page.
  const kept = { get: () => { try { return localStorage.getItem("syncspec-theme"); } catch { return null; } },
    set: (name) => { try { localStorage.setItem("syncspec-theme", name); } catch { /* it was chosen for now */ } } };
  const root = document.documentElement, button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const now = () => root.dataset.theme || (system.matches ? "dark" : "light");
  const label = () => { button.textContent = now() === "dark" ? "Light theme" : "Dark theme"; };
  const chosen = kept.get();
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
  button.addEventListener("click", () => {
    root.dataset.theme = now() === "dark" ? "light" : "dark";
    kept.set(root.dataset.theme);
    label();
  });
  system.addEventListener("change", label);
  button.hidden = false;
  label();
})();
