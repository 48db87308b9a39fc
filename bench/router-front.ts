/**
 * What the HTTP front costs: CPU of the server process per request, against a bare node:http server that reads the same
 * body and answers the same bytes, in the same run and in turns. The mesh is a stand-in that answers at once, so what is
 * counted is the front alone. Run: npm run bench router-front, or node bench/router-front.ts [seconds] [connections]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { Exchange, ReplyObserver } from '../src/adapters/adapter.ts';
import type { Mesh, MeshRequest } from '../src/router/mesh/mesh-port.ts';
import { FrontMetrics } from '../src/router/metrics/front-metrics.ts';
import { ModelLabels } from '../src/router/metrics/model-labels.ts';
import { createRouterServer } from '../src/router/servers/http-server.ts';
import { defaultServerOptions } from '../src/router/servers/server-options.ts';

const answer = Buffer.from(
  `{"model_name":"m","model_version":"1","outputs":[{"name":"Y","datatype":"FP32","shape":[1,8],"data":[1,2,3,4,5,6,7,8]}]}`,
);

/** In turns, so that a busy machine is as busy for both; the median of each counts. */
const rounds = 9;

interface Load {
  readonly name: string;
  readonly bodyBytes: number;
}

const loads: readonly Load[] = [
  { name: 'small body', bodyBytes: 200 },
  { name: 'body of 602,112 bytes', bodyBytes: 602_112 },
];

async function measure(): Promise<void> {
  const seconds = Number(process.argv[2] ?? 1);
  const connections = Number(process.argv[3] ?? 16);
  const servers = { bare: await start('bare'), front: await start('front') };
  for (const load of loads) {
    const costs: Record<string, number[]> = { bare: [], front: [] };
    for (let round = 0; round < rounds; round++) {
      for (const [kind, server] of Object.entries(servers)) {
        costs[kind]!.push(await cpuPerRequest(server, load, seconds, connections));
      }
    }
    const [bare, front] = [median(costs['bare']!), median(costs['front']!)];
    const added = (front - bare).toFixed(1);
    console.log(
      `${load.name}: bare ${bare.toFixed(1)} us, front ${front.toFixed(1)} us, so ${added} us more per request`,
    );
  }
  for (const { child } of Object.values(servers)) child.kill();
}

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
}

async function start(kind: string): Promise<Started> {
  const child = fork(import.meta.filename, { env: { ...process.env, FRONT_BENCH_SERVER: kind } });
  const [port] = (await once(child, 'message')) as [number];
  return { child, port };
}

/** In microseconds. The first fifth of the time warms up and does not count. */
async function cpuPerRequest(
  { child, port }: Started,
  load: Load,
  seconds: number,
  connections: number,
): Promise<number> {
  const head = `POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nContent-Type: application/octet-stream\r\nContent-Length: ${load.bodyBytes}\r\n\r\n`;
  const request = Buffer.concat([Buffer.from(head), Buffer.alloc(load.bodyBytes, 120)]);
  const clients = Array.from({ length: connections }, () => new Client(port, request));
  await pause(seconds * 200);
  const before = { us: await cpuOf(child), answers: total(clients) };
  await pause(seconds * 800);
  const after = { us: await cpuOf(child), answers: total(clients) };
  for (const client of clients) client.stop();
  return (after.us - before.us) / (after.answers - before.answers);
}

/** Sends one request after another on one connection; counts answers by the end of their bodies. */
class Client {
  answers = 0;
  readonly #socket;

  constructor(port: number, request: Buffer) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (bytes) => {
      if (bytes.at(-1) !== 125) return; // the answer ends in }
      this.answers++;
      this.#socket.write(request);
    });
    this.#socket.write(request);
  }

  stop(): void {
    this.#socket.destroy();
  }
}

function total(clients: readonly Client[]): number {
  return clients.reduce((sum, { answers }) => sum + answers, 0);
}

async function cpuOf(child: ChildProcess): Promise<number> {
  child.send('cpu');
  const [us] = (await once(child, 'message')) as [number];
  return us;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

async function serve(kind: string): Promise<void> {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send!(user + system);
  });
  process.on('disconnect', () => process.exit());
  process.send!(kind === 'bare' ? await serveBare() : await serveFront());
}

async function serveBare(): Promise<number> {
  const server = createServer((req, res) => {
    req.on('data', () => {});
    req.on('end', () => {
      res.writeHead(200, ['Content-Type', 'application/json', 'Content-Length', String(answer.byteLength)]);
      res.end(answer);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

async function serveFront(): Promise<number> {
  const server = await createRouterServer({ infer: answerAtOnce } as unknown as Mesh, defaultServerOptions, {
    retention: { usedBytes: 0, limitBytes: 256 * 1024 * 1024, perRequestBytes: 16 * 1024 * 1024 },
    metrics: new FrontMetrics(new ModelLabels(100)),
    log: () => {},
  });
  await server.listen({ port: 0, host: '127.0.0.1' });
  return server.port;
}

/** Stands in for the mesh: takes the body as it comes, and answers in a later turn, as a backend's answer comes. */
function answerAtOnce(request: MeshRequest, observer: ReplyObserver): Exchange {
  request.body.attach({
    onPiece: (_piece, end) => {
      if (end) setImmediate(reply);
      return true;
    },
    onAborted: () => {},
  });
  return { cancel: () => {}, pause: () => {}, resume: () => {} };

  function reply(): void {
    observer.onReply({ headerLength: undefined, bodyBytes: answer.byteLength, inFlight: 0, latencyUs: 0 });
    observer.onPiece(answer);
    request.body.release();
    observer.onEnd();
  }
}

if (process.env['FRONT_BENCH_SERVER'] === undefined) await measure();
else await serve(process.env['FRONT_BENCH_SERVER']);
