// Long lists are shown a page at a time.

/** Returns a pager: `part` cuts the shown page out of a list, and the buttons call `show` after a change. */
const newPager = (container, sizes, show) => {
  const pager = { start: 0, size: sizes[0], count: 0 };
  const text = make("span", { className: "note" });
  const last = () => Math.max(0, Math.ceil(pager.count / pager.size) - 1) * pager.size;
  const buttons = [
    ["First", () => 0],
    ["Previous", () => pager.start - pager.size],
    ["Next", () => pager.start + pager.size],
    ["Last", last],
  ].map(([name, target]) => {
    const button = make("button", { type: "button" }, name);
    // A disabled button would lose the focus of the keyboard.
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") === "true") return;
      pager.start = target();
      show();
    });
    return { button, target };
  });
  const select = make("select", {}, ...sizes.map((size) => make("option", {}, String(size))));
  select.addEventListener("change", () => {
    pager.size = Number(select.value);
    pager.start -= pager.start % pager.size;
    show();
  });
  const places = make("span", { className: "buttons" }, ...buttons.map(({ button }) => button));
  container.replaceChildren(places, text, make("label", {}, "at a time ", select));
  pager.part = (list) => {
    pager.count = list.length;
    pager.start = Math.max(0, Math.min(pager.start, last()));
    const end = Math.min(pager.start + pager.size, pager.count);
    container.hidden = pager.count <= sizes[0];
    text.textContent = `${counted(pager.start + 1)} to ${counted(end)} of ${counted(pager.count)}`;
    for (const { button, target } of buttons) {
      const start = target();
      const isOff = start < 0 || start > last() || start === pager.start;
      button.setAttribute("aria-disabled", String(isOff));
    }
    return list.slice(pager.start, end);
  };
  return pager;
};
