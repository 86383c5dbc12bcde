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

export function queuePath(queue, ...rest) {
  return ["queues", queue, ...rest].map(encodeURIComponent).join("/");
}

function headers() {
  return { authorization: `Bearer ${sessionStorage.getItem(KEY) ?? ""}` };
}

async function read(response) {
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  let detail = text || response.statusText;
  try {
    detail = JSON.parse(text).detail ?? detail;
  } catch {
    // It is not of this server, but of a proxy: shown as it is.
  }
  throw new Problem(response.status, detail);
}
