/** A real HTTP server of files with ranges, which can be told to misbehave. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FileServer {
  readonly origin: string;
  /** By path. */
  readonly files: Map<string, Uint8Array>;
  /** Path and range of every request. */
  readonly requests: string[];
  /** Answers instead of the files while it returns true. */
  misbehave: ((request: IncomingMessage, answer: ServerResponse) => boolean) | undefined;
  /** Bytes of a body after which the connection breaks; then the next answers, each. */
  breakAfter: number[];
  ignoresRanges: boolean;
}

export async function startFileServer(
  t: { after(hook: () => void): void },
  files: Record<string, Uint8Array> = {},
): Promise<FileServer> {
  const http = createServer((request, answer) => {
    served.requests.push(`${request.url}${request.headers.range === undefined ? '' : ` ${request.headers.range}`}`);
    if (served.misbehave?.(request, answer) !== true) serve(served, request, answer);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    http.closeAllConnections();
    http.close();
  });
  const served: FileServer = {
    origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    files: new Map(Object.entries(files)),
    requests: [],
    misbehave: undefined,
    breakAfter: [],
    ignoresRanges: false,
  };
  return served;
}

function serve(server: FileServer, request: IncomingMessage, answer: ServerResponse): void {
  const file = server.files.get(decodeURIComponent(request.url!));
  if (file === undefined) return void answer.writeHead(404).end('no such file');
  const range = server.ignoresRanges ? undefined : /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
  const first = Number(range ?? 0);
  if (range !== undefined && first >= file.length)
    return void answer.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
  const headers = {
    'content-length': file.length - first,
    ...(range !== undefined && { 'content-range': `bytes ${first}-${file.length - 1}/${file.length}` }),
  };
  answer.writeHead(range === undefined ? 200 : 206, headers);
  const breaks = server.breakAfter.shift();
  if (breaks === undefined || breaks >= file.length - first) return void answer.end(file.subarray(first));
  answer.write(file.subarray(first, first + breaks), () => setTimeout(() => answer.destroy(), 20));
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The same bytes at each run. */
export function someBytes(count: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(count);
  let state = seed;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}
