import type { IncomingMessage, ServerResponse } from 'node:http';
import { SkeinError } from '../../protocol/errors.ts';
import type { RequestHandler } from './api-router.ts';
import type { Front } from './front.ts';
import { readInferPath } from './infer-path.ts';
import { serveInfer } from './infer-route.ts';
import { refuse } from './refusal.ts';
import { bodyStalled } from './stalled-bodies.ts';

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
    const path = req.method === 'POST' ? readInferPath(url) : undefined;
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
    if (req.complete || (length === undefined && coding === undefined)) return;
    const { stalledBodies, options } = this.#front;
    const onStalled = () => {
      const expectedBytes = length === undefined ? undefined : Number(length);
      this.#refuse(req, res, bodyStalled(expectedBytes, options.bodyTimeoutMs));
    };
    const awaited = { request: req, isPaused: false, onStalled };
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
  if (req.headers.host === undefined && req.httpVersionMinor === 1) return 'it has no Host header';
  return undefined;
}

/** Proxies' form of a request names the whole URL; the host in it is ours, whatever it is called. */
function pathOf(url: string): string {
  if (url.startsWith('/')) return url;
  const authority = url.indexOf('://');
  const path = authority < 0 ? -1 : url.indexOf('/', authority + 3);
  return path < 0 ? '/' : url.slice(path);
}
