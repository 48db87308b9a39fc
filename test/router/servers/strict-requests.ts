/** Requests made at random: such as the strict reader takes, such as it must leave, and broken ones. */
import { mutated } from '../../slow/bad-input/mutate.ts';

type Random = () => number;

const usualHeaders = [
  'Content-Type: application/json',
  'User-Agent: test/1.0 (x; y)',
  'Accept: */*',
  'X-Request-Id:   spaced  out  ',
  'Skein-Timeout-Ms: 5000',
  'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  'traceparent: nonsense',
  'connection: Keep-Alive',
  'Accept-Encoding: identity',
  'accept-encoding: br, gzip;q=0',
  'Keep-Alive: timeout=5',
];

const oddHeaders = [
  'Skein-Timeout-Ms: soon',
  'Skein-Timeout-Ms: 5',
  'Inference-Header-Content-Length: 2',
  'Inference-Header-Content-Length: 99999',
  'Inference-Header-Content-Length: +1',
  'Content-Length: 3',
  'Content-Length: 007',
  'content-length : 3',
  'Content-Length:\t4\t',
  'Content-Length: 4, 4',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: identity',
  'Content-Encoding: gzip',
  'Content-Encoding: identity',
  'Accept-Encoding: gzip',
  'Expect: 100-continue',
  'Expect: miracle',
  'Connection: close',
  'Connection: close, keep-alive',
  'Connection: upgrade',
  'Proxy-Connection: close',
  'Upgrade: websocket',
  'Host: another',
  'X-Tab: a\tb',
  'X-High: \xe9',
  'X-Nul: \0',
  'X-Folded: a\r\n b',
  'X-Cr: a\rb',
  ': no name',
  'no colon',
  `X-Long: ${'a'.repeat(9_000)}`,
  `X-Longer: ${'a'.repeat(17_000)}`,
];

const usualPaths = ['/v2/models/simple/infer', '/v2/models/multi_version/versions/3/infer', '/v2/models/nope/infer'];

const oddPaths = [
  '/v2/models/simple/infer?x=1',
  '/v2/models/simple/infer#x',
  '/v2/models/s%69mple/infer',
  '/v2/models/a%20b/infer',
  '/v2/models/%zz/infer',
  '/v2/models//infer',
  '/v2/models/simple/versions/x/infer',
  '/v2/models/simple/versions/99999999999999999999/infer',
  'http://elsewhere/v2/models/simple/infer',
  '/v2/models/simple/ready',
  '/v2//models/simple/infer',
  '*',
];

const oddLines = [
  'GET PATH HTTP/1.1',
  'POST PATH HTTP/1.0',
  'POST PATH HTTP/1.2',
  'post PATH HTTP/1.1',
  'POST  PATH HTTP/1.1',
];

/** One request, at times followed by another; the last one asks for the connection to be closed. */
export function randomConversation(random: Random): Buffer {
  const requests = Array.from({ length: 1 + Math.floor(random() * 3) }, () => randomRequest(random));
  const goodbye = 'GET /v2/health/live HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n';
  return Buffer.concat([...requests, Buffer.from(goodbye)]);
}

/** Cut at random, often in the midst of the head. */
export function randomCuts(bytes: Buffer, random: Random): Buffer[] {
  if (random() < 0.5) return [bytes];
  const cuts = Array.from({ length: 1 + Math.floor(random() * 4) }, () => Math.floor(random() * bytes.length));
  const ends = [...cuts.sort((a, b) => a - b), bytes.length];
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end)).filter((piece) => piece.length > 0);
}

function randomRequest(random: Random): Buffer {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const isOdd = (share: number) => random() < share;
  const body = randomBody(random);
  const path = pick(isOdd(0.15) ? oddPaths : usualPaths);
  const line = (isOdd(0.05) ? pick(oddLines) : 'POST PATH HTTP/1.1').replace('PATH', path);
  const headers = isOdd(0.03) ? [] : ['Host: h'];
  if (!isOdd(0.05)) headers.push(`Content-Length: ${isOdd(0.05) ? body.length + 3 : body.length}`);
  for (let i = Math.floor(random() * 4); i > 0; i--) headers.push(pick(isOdd(0.25) ? oddHeaders : usualHeaders));
  const lineEnd = isOdd(0.03) ? '\n' : '\r\n';
  const head = Buffer.from(
    `${[line, ...headers.sort(() => random() - 0.5)].join(lineEnd)}${lineEnd}${lineEnd}`,
    'latin1',
  );
  return Buffer.concat([isOdd(0.1) ? mutated(head, random) : head, body]);
}

function randomBody(random: Random): Buffer {
  const kind = random();
  const size = kind < 0.1 ? 0 : kind < 0.8 ? Math.floor(random() * 500) : Math.floor(random() * 300_000);
  return Buffer.alloc(size, '{"inputs":[]}');
}
