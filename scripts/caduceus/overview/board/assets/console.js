// The output of a program, whose last lines are followed until the reader scrolls up.

const MOST_TEXT = 400_000; // characters that are kept; the file has all

const output = { run: null, attempt: null, to: 0, turn: 0 };

/** Shows the output of an attempt of a run from its end; null is the latest. */
const openConsole = async (run, attempt = null) => {
  Object.assign(output, { run, attempt, to: null });
  element("console-text").replaceChildren();
  setText(element("console-note"), "");
  await readConsole();
};

const isFollowed = () => element("console-follow").checked;

/** Shows what the program has printed since. */
const readConsole = async () => {
  const { run, attempt } = output;
  const turn = ++output.turn;
  for (;;) {
    const found = await ask("/api/console", { run, attempt, from: output.to });
    if (turn !== output.turn || run !== output.run) return; // superseded
    offerAttempts(found);
    const isAnother = output.to !== null && (found.from !== output.to || found.attempt !== output.shown);
    if (isAnother) {
      output.to = null;
      element("console-text").replaceChildren();
      continue;
    }
    Object.assign(output, { to: found.to, shown: found.attempt });
    appendText(found);
    if (found.to >= found.size) return;
  }
};

const appendText = ({ text, is_cut: isCut, attempts }) => {
  const pre = element("console-text");
  if (isCut) output.isCut = true;
  if (!text && !pre.firstChild) setText(element("console-note"), attempts.length ? "Nothing printed yet." : "No output of this run is here.");
  if (!text) return;
  pre.append(text);
  let size = [...pre.childNodes].reduce((sum, node) => sum + node.length, 0);
  while (size > MOST_TEXT && pre.childNodes.length > 1) {
    size -= pre.firstChild.length;
    pre.firstChild.remove();
    output.isCut = true;
  }
  setText(element("console-note"), output.isCut ? "Earlier lines are in the run's folder." : "");
  if (isFollowed()) scrollDown();
};

const scrollDown = () => {
  const pre = element("console-text");
  pre.scrollTop = pre.scrollHeight;
};

const offerAttempts = ({ attempts, attempt }) => {
  const select = element("console-attempt");
  const numbers = attempts.map(String);
  if (JSON.stringify(numbers) !== JSON.stringify([...select.options].map(({ value }) => value))) {
    select.replaceChildren(...numbers.map((number) => make("option", { value: number }, number)));
  }
  select.value = String(attempt);
  select.parentElement.hidden = numbers.length < 2;
};

const startConsole = () => {
  const pre = element("console-text");
  element("console-follow").addEventListener("change", () => isFollowed() && scrollDown());
  element("console-attempt").addEventListener("change", ({ target }) => {
    const isLatest = target.selectedIndex === target.options.length - 1;
    output.isCut = false;
    openConsole(output.run, isLatest ? null : Number(target.value));
  });
  pre.addEventListener("scroll", () => {
    const isAtEnd = pre.scrollHeight - pre.scrollTop - pre.clientHeight < 8;
    element("console-follow").checked = isAtEnd;
  });
};
