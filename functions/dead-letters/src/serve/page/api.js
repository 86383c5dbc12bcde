// Requests to this server. The token came with the address, behind the `#`, which browsers send to
// nobody. It is kept for this tab, so that the page can be loaded again.

const KEY = "token";

export function keepToken(token) {
  sessionStorage.setItem(KEY, token);
}

// What the server says is wrong.
export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export async function get(path, { parameters = {}, signal } = {}) {
  const query = new URLSearchParams(parameters).toString();
  const response = await fetch(`/api/${path}${query && `?${query}`}`, { headers: headers(), signal });
  return read(response);
}

export async function send(path, body, signal) {
  const all = { ...headers(), "content-type": "application/json" };
  const options = { method: "POST", headers: all, body: JSON.stringify(body), signal };
  return read(await fetch(`/api/${path}`, options));
}

export async function remove(path) {
  return read(await fetch(`/api/${path}`, { method: "DELETE", headers: headers() }));
}

// Passes each event of a stream (server-sent events) to `show`. `EventSource` sends no token.
export async function watch(path, show) {
  const response = await fetch(`/api/${path}`, { headers: headers() });
  if (!response.ok) return read(response);
  let text = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const events = (text + chunk).split("\n\n");
    text = events.pop();
    const data = events.filter((event) => event.startsWith("data: "));
    data.forEach((event) => show(JSON.parse(event.slice("data: ".length))));
  }
}

export function queuePath(queue, ...rest) {
  return ["queues", queue, ...rest].map(encodeURIComponent).join("/");
}

function headers() {
  return { authorization: `Bearer ${sessionStorage.getItem(KEY) ?? ""}` };
}

async function read(response) {
  const text = await response.text();
  if (response.ok) return text === "" ? null : JSON.parse(text);
  let detail = text || response.statusText;
  try {
    detail = JSON.parse(text).detail ?? detail;
  } catch {
    // It is not of this server, but of a proxy: shown as it is.
  }
  throw new Problem(response.status, detail);
}
