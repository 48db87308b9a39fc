import type { BackendRecord } from '../adapters/adapter.ts';
import type { ProcessKeeper } from '../router/mesh/process-keeper.ts';
import type { ProcessEnd } from '../router/routing/process-end.ts';
import { createLog } from './log.ts';
import { boundNursery } from './nursery.ts';
import { buildRouter, type RouterCore } from './router-core.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** Root of a further router process: shares the port with the first one and nothing else. */

const answers = new Map<number, (value: ProcessEnd | BackendRecord) => void>();
let nextAsk = 1;
let core: RouterCore | undefined;

function send(message: FromWorker): void {
  process.send?.(message);
}

function ask<T extends ProcessEnd | BackendRecord>(message: (ask: number) => FromWorker): Promise<T> {
  return new Promise((resolve) => {
    const number = nextAsk++;
    answers.set(number, (value) => resolve(value as T));
    send(message(number));
  });
}

/** Backend processes are the first router's: it is asked. Names of apart backends are told apart by this one's own. */
function processesOf(id: string): ProcessKeeper {
  return {
    endOf: (backend) => ask((number) => ({ kind: 'endOf', ask: number, backend })),
    openApart: (name, engine) =>
      ask<BackendRecord>((number) => ({ kind: 'openApart', ask: number, backend: `${id}-${name}`, engine })),
    wake: (backend) => send({ kind: 'wake', backend }),
    closeApart: (name) => send({ kind: 'closeApart', backend: `${id}-${name}` }),
  };
}

async function onMessage(message: ToWorker): Promise<void> {
  switch (message.kind) {
    case 'start': {
      const { settings, id, records } = message;
      const log = createLog({ level: settings.logLevel, format: settings.logFormat }).child({ router: id });
      core = await buildRouter(settings, id, processesOf(id), records, log);
      const { host, httpPort, grpcPort } = settings;
      await core.server.listen({ port: httpPort, host, reusePort: true });
      await core.grpcServer.listen({ port: grpcPort, host, reusePort: true });
      log.info({ pid: process.pid, port: settings.httpPort }, 'router worker serves');
      return;
    }
    case 'collect':
      send({ kind: 'metrics', ask: message.ask, metrics: (await core?.metrics.collectRouterMetrics()) ?? [] });
      return;
    case 'answer':
      answers.get(message.ask)?.(message.value);
      answers.delete(message.ask);
      return;
    case 'stop':
      await core?.stop(message.graceMs);
      process.exit(0);
      return;
    default:
      message satisfies never;
  }
}

boundNursery();
process.on('message', (message: ToWorker) => void onMessage(message));
process.on('disconnect', () => process.exit(0));
// A terminal signals the whole group: the first process says when to stop.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
