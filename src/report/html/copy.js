// Gives a command a button that copies it. Where a page may not use the clipboard,
// because it came over plain HTTP, an older way is left.
const copyable = (() => {
  const copied = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  };
  const said = document.getElementById("said");
  return (pre) => {
    const line = document.createElement("div"), button = document.createElement("button");
    line.className = "line";
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const done = await copied(pre.textContent);
      button.textContent = done ? "Copied" : "Select it";
      if (!done) getSelection().selectAllChildren(pre);
      said.textContent = done ? "Copied." : "It could not be copied; it is selected.";
      button.focus({ preventScroll: true });
      setTimeout(() => { button.textContent = "Copy"; said.textContent = ""; }, 2000);
    });
    pre.replaceWith(line);
    line.append(pre, button);
  };
})();
document.querySelectorAll("pre.copy").forEach(copyable);
