// Questions to the server.

/** Describes why a request failed, in one line. */
class RequestError extends Error {}
class UnreachableError extends RequestError {}

const asked = async (path, options) => {
  const answer = await fetch(path, options).catch(() => { throw new UnreachableError("caduceus board doesn't answer"); });
  const found = await answer.json().catch(() => null);
  if (answer.ok && found) return found;
  throw new RequestError(found?.error ?? `the server answered ${answer.status} to ${path}`);
};

const ask = (path, parameters = {}) => {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined));
  return asked(`${path}${query.size ? `?${query}` : ""}`);
};

const askFor = (path, body) =>
  asked(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

/** Unpacks little-endian numbers from base64. */
const numbers = (packed, Kind) => {
  const bytes = Uint8Array.fromBase64?.(packed) ?? Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  return new Kind(bytes.buffer);
};

/** Returns a function that calls another at most once in a time, the last call surely; one call ends before the next. */
const throttled = (action, milliseconds) => {
  let [isWanted, isBusy] = [false, false];
  const begin = async () => {
    isBusy = true;
    while (isWanted) {
      isWanted = false;
      await asking(action);
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
    }
    isBusy = false;
  };
  return () => {
    isWanted = true;
    if (!isBusy) begin();
  };
};

/** Says that a part of the page couldn't be read; a lost connection is said in its own place. */
const sayFailed = (error) => {
  if (error instanceof UnreachableError) return;
  setText(element("failure"), `Not all could be read: ${error.message}`);
  element("failure").hidden = false;
};

/** Calls a function that asks the server; what fails is said on the page. */
const asking = async (action) => {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    sayFailed(error);
  }
};
addEventListener("unhandledrejection", (event) => {
  if (!(event.reason instanceof RequestError)) return;
  event.preventDefault();
  sayFailed(event.reason);
});
