/** Requests as bytes, good ones and broken ones alike. */

export function post(path: string, body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Buffer {
  return head('POST', path, { 'Content-Length': String(Buffer.byteLength(body)), ...headers }, Buffer.from(body));
}

export function get(path: string): Buffer {
  return head('GET', path, {});
}

/** An inference in JSON; `body` that is no text is made one. */
export function inferJson(model: string, body: unknown, headers?: Readonly<Record<string, string>>): Buffer {
  return post(`/v2/models/${model}/infer`, typeof body === 'string' ? body : JSON.stringify(body), headers);
}

/** An inference whose tensors are binary: a JSON part, what follows it, and the length that the header claims for it. */
export function inferBinary(
  model: string,
  json: unknown,
  binary: Uint8Array,
  claimedLength?: number | string,
  headers: Readonly<Record<string, string>> = {},
): Buffer {
  const text = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json));
  const length = { 'Inference-Header-Content-Length': String(claimedLength ?? text.length) };
  return post(`/v2/models/${model}/infer`, Buffer.concat([text, binary]), { ...length, ...headers });
}

function head(method: string, path: string, headers: Readonly<Record<string, string>>, body = Buffer.alloc(0)): Buffer {
  const lines = Object.entries({ Host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), body]);
}
