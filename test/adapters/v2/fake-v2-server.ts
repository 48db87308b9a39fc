/** A fake of an Open Inference server over HTTP, as much of one as a test asks for. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BackendRecord } from '../../../src/adapters/adapter.ts';
import type { Behaviour, ScriptedServer, SeenRequest } from '../scripted-server.ts';

export interface FakeV2Options {
  /** How it lists its models: Triton's index, KServe's names, or not at all. */
  readonly lists?: 'index' | 'names' | 'nothing';
  readonly statistics?: boolean;
  /** What it answers to load and unload: does it, or refuses as Triton outside its explicit mode. */
  readonly loads?: 'yes' | 'forbidden';
  readonly models?: readonly string[];
  /** What the router is told of its models. */
  readonly declared?: readonly string[];
  /** Before /v2 in every path. */
  readonly prefix?: string;
  readonly port?: number;
}

export interface FakeV2Server extends ScriptedServer {
  readonly port: number;
  /** Requests as `METHOD path`, in order. */
  readonly asked: string[];
  /** By path: answered with this instead of what the script would. */
  readonly answers: Map<string, (request: IncomingMessage, response: ServerResponse) => void>;
  readonly states: Map<string, { state: string; reason: string }>;
  /** SIGSTOP, as a client sees it: connections are accepted and nothing is answered. */
  freeze(frozen: boolean): void;
  /** Ends the connections on which nothing is under way. */
  closeIdle(): void;
}

export async function startFakeV2Server(options: FakeV2Options = {}): Promise<FakeV2Server> {
  const script = new Script(options);
  const server = createServer((request, response) => script.onRequest(request, response));
  server.keepAliveTimeout = 60_000;
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const address = `http://127.0.0.1:${port}${options.prefix ?? ''}`;
  const { declared } = options;
  const record: BackendRecord = {
    id: 'fake',
    kind: 'v2',
    address,
    engines: [],
    ...(declared && { models: declared }),
  };
  return Object.assign(script, {
    record,
    port,
    closeIdle: () => server.closeIdleConnections(),
    async die() {
      if (!server.listening) return;
      const closed = once(server.close(), 'close');
      server.closeAllConnections();
      await closed;
    },
  });
}

class Script {
  readonly seen: SeenRequest[] = [];
  readonly asked: string[] = [];
  readonly answers = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>();
  readonly states = new Map<string, { state: string; reason: string }>();
  begun = 0;
  givenUp = 0;
  readonly #options: FakeV2Options;
  #behaviour: Behaviour = { kind: 'echo' };
  #isFrozen = false;
  #onBehaviour: (() => void)[] = [];

  constructor(options: FakeV2Options) {
    this.#options = options;
    for (const model of options.models ?? ['first', 'second']) this.states.set(model, { state: 'READY', reason: '' });
  }

  behave(behaviour: Behaviour): void {
    this.#behaviour = behaviour;
    for (const listener of this.#onBehaviour.splice(0)) listener();
  }

  setReady(ready: boolean): void {
    const state = ready ? { state: 'READY', reason: '' } : { state: 'UNAVAILABLE', reason: 'unloaded' };
    this.states.set('first', state);
  }

  freeze(frozen: boolean): void {
    this.#isFrozen = frozen;
  }

  onRequest(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURI(request.url ?? '').slice((this.#options.prefix ?? '').length);
    this.asked.push(`${request.method} ${path}`);
    if (this.#isFrozen) return;
    const own = this.answers.get(path);
    if (own !== undefined) {
      own(request, response);
      return;
    }
    const [, model, version, verb] = /^\/v2\/models\/([^/]+)(?:\/versions\/(\d+))?(?:\/(\w+))?$/.exec(path) ?? [];
    if (model !== undefined && model !== 'stats') this.#ofModel(request, response, model, version, verb);
    else this.#ofServer(request, response, path);
  }

  #ofServer(request: IncomingMessage, response: ServerResponse, path: string): void {
    const { lists = 'index', statistics = true } = this.#options;
    const [, changed, change] = /^\/v2\/repository\/models\/([^/]+)\/(load|unload)$/.exec(path) ?? [];
    const rows = [...this.states].map(([name, row]) => ({ name, version: '1', ...row }));
    if (path === '/v2/health/ready') json(response, 200, undefined);
    else if (path === '/v2') json(response, 200, { name: 'fake', extensions: statistics ? ['statistics'] : [] });
    else if (path === '/v2/repository/index' && lists === 'index') json(response, 200, rows);
    else if (path === '/v2/models' && lists === 'names') json(response, 200, { models: [...this.states.keys()] });
    else if (path === '/v2/models/stats') json(response, 200, { model_stats: [{ name: 'first' }] });
    else if (changed !== undefined && lists === 'index') this.#change(response, changed, change === 'load');
    else json(response, 404, { error: `Not Found: ${request.method}` });
  }

  #change(response: ServerResponse, model: string, load: boolean): void {
    if (this.#options.loads === 'forbidden') {
      json(response, 503, { error: 'explicit model load / unload is not allowed if polling is enabled' });
    } else if (!this.states.has(model)) {
      json(response, 500, { error: `failed to load '${model}', failed to poll from model repository` });
    } else {
      this.states.set(model, load ? { state: 'READY', reason: '' } : { state: 'UNAVAILABLE', reason: 'unloaded' });
      json(response, 200, undefined);
    }
  }

  #ofModel(
    request: IncomingMessage,
    response: ServerResponse,
    model: string,
    version: string | undefined,
    verb: string | undefined,
  ): void {
    const state = this.states.get(model)?.state;
    const tensors = (name: string) => [{ name, datatype: 'FP32', shape: [-1, 4] }];
    if (verb === 'infer') this.#infer(request, response, model);
    else if (verb === 'ready') json(response, state === 'READY' ? 200 : 400, undefined);
    else if (state === undefined) json(response, 404, { error: `Request for unknown model: '${model}' is not found` });
    else if (verb === 'stats') json(response, 200, { model_stats: [{ name: model, version: version ?? '1' }] });
    else if (verb === 'config') json(response, 200, { name: model, max_batch_size: 8, input: [{ name: 'x' }] });
    else {
      const metadata = { name: model, versions: ['1'], platform: 'fake', inputs: tensors('x'), outputs: tensors('y') };
      json(response, 200, metadata);
    }
  }

  #infer(request: IncomingMessage, response: ServerResponse, model: string): void {
    this.begun += 1;
    response.on('close', () => {
      if (!response.writableFinished) this.givenUp += 1;
    });
    const read = () => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => this.#answer(request, response, model, Buffer.concat(pieces)));
    };
    if (this.#behaviour.kind === 'deaf') this.#onBehaviour.push(read);
    else read();
  }

  #answer(request: IncomingMessage, response: ServerResponse, model: string, body: Buffer): void {
    const given = request.headers['inference-header-content-length'];
    const traceparent = String(request.headers['traceparent'] ?? '');
    this.seen.push({ model, headerLength: given === undefined ? undefined : Number(given), traceparent, body });
    const behaviour = this.#behaviour;
    switch (behaviour.kind) {
      case 'echo':
        if (given !== undefined) response.setHeader('Inference-Header-Content-Length', String(given));
        response.setHeader('Content-Type', request.headers['content-type'] ?? '');
        response.setHeader('Content-Length', body.length).end(body);
        return;
      case 'refuse':
        json(response, 400, { error: behaviour.text });
        return;
      case 'flood':
        flood(response, behaviour.bytes);
        return;
      case 'cut':
        response.setHeader('Content-Length', body.length);
        response.write(body.subarray(0, body.length / 2), () => request.socket.destroy());
        return;
      case 'silent':
      case 'deaf':
        return;
      default:
        behaviour satisfies never;
    }
  }
}

function flood(response: ServerResponse, bytes: number): void {
  response.setHeader('Content-Length', bytes);
  const piece = Buffer.alloc(64 * 1024);
  let left = bytes;
  const write = () => {
    while (left > 0) {
      left -= piece.length;
      if (!response.write(piece)) {
        response.once('drain', write);
        return;
      }
    }
    response.end();
  };
  write();
}

function json(response: ServerResponse, status: number, body: unknown): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  response
    .writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
    .end(text);
}
