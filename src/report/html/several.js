(() => {
  // What an address points at is shown, even when it is folded away.
  const show = () => {
    let id;
    try { id = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const place = id && document.getElementById(id);
    if (!place) return;
    for (let at = place; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    place.scrollIntoView();
  };
  addEventListener("hashchange", show);
  show();
})();
