import type { IncomingMessage, ServerResponse } from 'node:http';
import { SkeinError } from '../../protocol/errors.ts';
import type { RequestHandler } from './api-router.ts';
import type { Front } from './front.ts';
import { readInferPath } from './infer-path.ts';
import { serveInfer } from './infer-route.ts';
import { refuse } from './refusal.ts';
import { bodyStalled } from './stalled-bodies.ts';
import { readV1InferPath } from './v1-path.ts';

/** Where every request comes in: inferences go straight on, everything else to the API's router. */
export class RequestDoor {
  readonly #front: Front;
  readonly #api: RequestHandler;

  constructor(front: Front, api: RequestHandler) {
    this.#front = front;
    this.#api = api;
  }

  /** `awaitsContinue`: the client sends its body when it is told to. */
  enter(req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean): void {
    const fault = headFault(req);
    if (fault !== undefined) {
      this.#refuse(req, res, new SkeinError('http_malformed', { reason: fault }));
      return;
    }
    const url = pathOf(req.url!);
    const path = req.method === 'POST' ? (readInferPath(url) ?? readV1InferPath(url)) : undefined;
    if (path !== undefined) {
      serveInfer(this.#front, req, res, path, awaitsContinue);
      return;
    }
    if (awaitsContinue) res.writeContinue();
    req.url = url;
    this.#watchBody(req, res);
    this.#api(req, res);
  }

  /** For an Expect that is not 100-continue. */
  refuseExpectation(req: IncomingMessage, res: ServerResponse): void {
    this.#refuse(req, res, new SkeinError('expectation_unknown', { value: String(req.headers['expect']) }));
  }

  #watchBody(req: IncomingMessage, res: ServerResponse): void {
    const { 'content-length': length, 'transfer-encoding': coding } = req.headers;
    // A body of no bytes is never read, and has no end that would show.
    const hasBody = coding !== undefined || Number(length ?? 0) > 0;
    if (req.complete || !hasBody) return;
    const { stalledBodies, options } = this.#front;
    const onStalled = () => {
      const expectedBytes = length === undefined ? undefined : Number(length);
      this.#refuse(req, res, bodyStalled(expectedBytes, options.bodyTimeoutMs));
    };
    const { socket } = req;
    const awaited = {
      get bytesRead() {
        return socket.bytesRead;
      },
      isPaused: false,
      onStalled,
    };
    stalledBodies.watch(awaited);
    const forget = () => stalledBodies.forget(awaited);
    req.once('end', forget);
    res.once('close', forget);
  }

  #refuse(req: IncomingMessage, res: ServerResponse, error: SkeinError): void {
    this.#front.metrics.refused(error.code);
    refuse(req, res, error, { fixedHeaders: this.#front.fixedHeaders, mustClose: true });
  }
}

/** What is wrong with a head that node's parser lets through. */
function headFault(req: IncomingMessage): string | undefined {
  if (req.httpVersionMajor !== 1) return `it is of HTTP ${req.httpVersion}; here 1.1 is spoken`;
  const hosts = countHosts(req.rawHeaders);
  if (hosts > 1) return 'it has several Host headers';
  if (hosts === 0 && req.httpVersionMinor === 1) return 'it has no Host header';
  return undefined;
}

/** Node takes the first of several; what stands between us and the client may take another (RFC 9112, 3.2). */
function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts;
}

/** Proxies' form of a request names the whole URL; the host in it is ours, whatever it is called. */
function pathOf(url: string): string {
  if (url.startsWith('/')) return url;
  const authority = url.indexOf('://');
  const path = authority < 0 ? -1 : url.indexOf('/', authority + 3);
  return path < 0 ? '/' : url.slice(path);
}
