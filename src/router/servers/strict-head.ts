import { chooseCoding } from './content-coding.ts';
import { type InferFacts, readInferFacts } from './infer-facts.ts';
import { readInferPath } from './infer-path.ts';
import type { ServerOptions } from './server-options.ts';

/** The head of an inference that was read without node:http. */
export interface StrictHead {
  readonly facts: InferFacts & { readonly expectedBytes: number };
  /** The head itself, its empty line included. */
  readonly bytes: Buffer;
}

/** Longer heads are left to node:http, and so are those with more lines. */
const longestHeadBytes = 8 * 1024;
const mostHeaders = 64;

const headEnd = Buffer.from('\r\n\r\n');

/** A path of segments of plain characters and escapes, and no query. */
const requestLine = /^POST (\/v2\/models\/[\w.~%/-]+\/infer) HTTP\/1\.1\r\n/;

/** A name of the characters that names have in practice, a colon, and printable ASCII. Every byte is matched one way only. */
const headerLine = /([A-Za-z0-9-]+):([\x20-\x7e]*)\r\n/y;

/** Headers that decide how a request is read: one of these, and it is node:http that reads it. */
const framing = new Set([
  'transfer-encoding',
  'content-encoding',
  'expect',
  'upgrade',
  'proxy-connection',
  'te',
  'trailer',
  'keep-alive',
]);

/** Headers that are read here. Of these there may be one; of others any number, as nobody looks at them. */
const read = new Set([
  'host',
  'content-length',
  'connection',
  'accept-encoding',
  'inference-header-content-length',
  'skein-timeout-ms',
  'traceparent',
]);

/**
 * Recognises an infer request at the start of `bytes`: POST, a Content-Length, and nothing about which two readers of HTTP
 * could disagree. Undefined for everything else, be it valid, broken or not all there: node:http reads that, and answers
 * what is wrong with it. What is recognised here must mean the same to node:http, byte for byte.
 */
export function readStrictHead(bytes: Buffer, options: ServerOptions): StrictHead | undefined {
  const length = strictHeadLength(bytes, options);
  if (length === undefined) return undefined;
  const text = bytes.toString('latin1', 0, length - 2);
  const line = requestLine.exec(text);
  const path = line === null ? undefined : readInferPath(line[1]!);
  const headers = line === null || path === undefined ? undefined : readHeaders(text, line[0].length);
  if (path === undefined || headers === undefined || !isPlain(headers)) return undefined;
  try {
    const facts = readInferFacts(headers, path, options);
    if (facts.expectedBytes === undefined) return undefined;
    return { facts: { ...facts, expectedBytes: facts.expectedBytes }, bytes: Buffer.from(bytes.subarray(0, length)) };
  } catch {
    return undefined; // refused: node:http has it said
  }
}

/** Of the head at the start of `bytes`, its empty line included; undefined where it is too long or not all there. */
export function strictHeadLength(bytes: Buffer, options: ServerOptions): number | undefined {
  const end = bytes.indexOf(headEnd);
  const length = end + headEnd.length;
  return end < 0 || length > Math.min(longestHeadBytes, options.maxHeaderBytes) ? undefined : length;
}

type Headers = Record<string, string>;

function readHeaders(text: string, from: number): Headers | undefined {
  const headers: Headers = {};
  headerLine.lastIndex = from;
  for (let count = 0; headerLine.lastIndex < text.length; count++) {
    const line = headerLine.exec(text);
    if (line === null || count === mostHeaders) return undefined;
    const name = line[1]!.toLowerCase();
    if (framing.has(name)) return undefined;
    if (!read.has(name)) continue;
    if (headers[name] !== undefined) return undefined;
    headers[name] = line[2]!.trim();
  }
  return headers;
}

/** One host, a length in digits, a connection that stays, and an answer that nobody wants compressed. */
function isPlain(headers: Headers): boolean {
  const { host, connection } = headers;
  return (
    host !== undefined &&
    /^\d{1,12}$/.test(headers['content-length'] ?? '') &&
    (connection === undefined || connection.toLowerCase() === 'keep-alive') &&
    chooseCoding(headers['accept-encoding']) === undefined
  );
}
