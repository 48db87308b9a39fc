import type { BackendRecord } from '../adapters/adapter.ts';
import { fromLinkError } from '../protocol/link/link-error.ts';
import type { ProcessKeeper } from '../router/mesh/process-keeper.ts';
import { createLog } from './log.ts';
import { buildRouter, type RouterCore } from './router-core.ts';
import { goBy, type RouterNews, type RouterParty } from './router-news.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** Root of a further router process: shares the port with the first one, and goes by the calls that it takes. */

type Answer = Extract<ToWorker, { kind: 'answer' }>['value'];

const answers = new Map<number, PromiseWithResolvers<Answer>>();
let nextAsk = 1;
let core: RouterCore | undefined;
const hearing = Promise.withResolvers<(news: RouterNews) => Promise<void>>();

function send(message: FromWorker): void {
  process.send?.(message);
}

function ask<T extends Answer>(message: (ask: number) => FromWorker): Promise<T> {
  const answer = Promise.withResolvers<Answer>();
  const number = nextAsk++;
  answers.set(number, answer);
  send(message(number));
  return answer.promise as Promise<T>;
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

const party: RouterParty = {
  leader: async (call) => {
    await ask((number) => ({ kind: 'call', ask: number, call }));
  },
  tell: () => Promise.resolve(),
};

async function onMessage(message: ToWorker): Promise<void> {
  switch (message.kind) {
    case 'start': {
      const { settings, id, records, news } = message;
      const log = createLog({ level: settings.logLevel, format: settings.logFormat }).child({ router: id });
      const built = await buildRouter(settings, id, { processes: processesOf(id), log, records, party });
      const hear = (one: RouterNews) =>
        goBy(built, one).catch((fault: Error) => log.warn({ reason: fault.message }, 'a call is not followed'));
      for (const one of news) await hear(one);
      core = built;
      hearing.resolve(hear);
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
      answers.get(message.ask)?.resolve(message.value);
      answers.delete(message.ask);
      return;
    case 'refused':
      answers.get(message.ask)?.reject(fromLinkError(message.error));
      answers.delete(message.ask);
      return;
    case 'news':
      await (await hearing.promise)(message.news);
      send({ kind: 'heard', ask: message.ask });
      return;
    case 'stop':
      await core?.stop(message.graceMs);
      process.exit(0);
      return;
    default:
      message satisfies never;
  }
}

process.on('message', (message: ToWorker) => void onMessage(message));
process.on('disconnect', () => process.exit(0));
// A terminal signals the whole group: the first process says when to stop.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
