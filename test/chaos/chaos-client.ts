/** Clients of several routers, which connect again: everything they send and get stands in the ledger. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import type { Outcome } from '../fixtures/traffic/sender.ts';
import { type ChaosRequest, faultOf } from './chaos-request.ts';
import type { Answer, AnswerKind, Ledger } from './ledger.ts';
import { Witness } from './witness.ts';

export interface ClientOptions {
  /** Told to the server, too. */
  readonly deadlineMs: number;
  /** A router that says nothing for so long is given up for another one. */
  readonly patienceMs: number;
}

/** A router that was given up is not asked for so long, if another one is there. */
const avoidMs = 1_000;
const pauseMs = 20;

interface Router {
  readonly id: string;
  readonly pool: Pool;
  avoidUntilMs: number;
}

/** What became of one try: an answer, nothing because of the connection, or nothing in time. */
type Try = Pick<Answer, 'kind' | 'what'> | 'unreachable' | 'given up';

export class ChaosClient {
  readonly #routers: readonly Router[];
  readonly #ledger: Ledger;
  readonly #options: ClientOptions;
  readonly #witness: Witness;
  #next = 0;
  isClosed = false;
  /** Tries that met a broken or refused connection. */
  reconnected = 0;

  constructor(routers: ReadonlyMap<string, string>, ledger: Ledger, options: ClientOptions) {
    this.#ledger = ledger;
    this.#options = options;
    this.#witness = new Witness(routers);
    const pool = { connections: null, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 };
    this.#routers = [...routers].map(([id, url]) => ({ id, pool: new Pool(url, pool), avoidUntilMs: 0 }));
  }

  async send(request: ChaosRequest, dueMs: number): Promise<Outcome> {
    const { number, model } = request;
    this.#ledger.sent(number, model, dueMs);
    const untilMs = dueMs + this.#options.deadlineMs;
    for (let tried = 1; performance.now() < untilMs; tried++) {
      const router = this.#choose();
      const result = await this.#try(router, request, untilMs);
      const nowMs = performance.now();
      if (typeof result === 'object') {
        this.#ledger.answered(number, { ...result, router: router.id, atMs: nowMs });
        const isRight = result.kind === 'right';
        return { model, atMs: dueMs, latencyMs: nowMs - dueMs, status: isRight ? 200 : 0, problem: result.what };
      }
      router.avoidUntilMs = nowMs + (result === 'given up' ? avoidMs : pauseMs);
      if (result === 'given up') {
        const givenUp = this.#ledger.gaveUp(number, router.id, nowMs);
        void this.#witness.ask(router.id, model).then((said) => {
          givenUp.said = said;
        });
      } else this.reconnected++;
      if (tried >= this.#routers.length) await sleep(pauseMs);
    }
    return { model, atMs: dueMs, latencyMs: performance.now() - dueMs, status: 0, problem: 'no answer' };
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all(this.#routers.map(({ pool }) => pool.destroy()));
  }

  /** The next one in turn that is not avoided, else the next one. */
  #choose(): Router {
    const first = this.#next++;
    const inTurn = this.#routers.map((_, i) => this.#routers[(first + i) % this.#routers.length]!);
    return inTurn.find(({ avoidUntilMs }) => avoidUntilMs <= performance.now()) ?? inTurn[0]!;
  }

  async #try({ pool }: Router, request: ChaosRequest, untilMs: number): Promise<Try> {
    const leftMs = Math.max(1, Math.round(untilMs - performance.now()));
    const patience = new AbortController();
    const { signal } = patience;
    // An answer that came while this process had no core is there to be read first.
    const giveUp = () => setImmediate(() => patience.abort());
    const timer = setTimeout(giveUp, Math.min(leftMs, this.#options.patienceMs));
    const headers = { ...request.headers, 'skein-timeout-ms': `${leftMs}` };
    let hasBegun = false;
    try {
      const answer = await pool.request({ path: request.path, method: 'POST', headers, body: request.body, signal });
      hasBegun = true;
      const body = Buffer.from(await answer.body.arrayBuffer());
      if (answer.statusCode !== 200) return refusal(answer.statusCode, body.toString());
      const fault = faultOf(request, body, Number(answer.headers['inference-header-content-length'] ?? body.length));
      return { kind: fault === undefined ? 'right' : 'wrong', what: fault ?? '' };
    } catch (fault) {
      if (hasBegun) return { kind: 'begun', what: String(fault) };
      return signal.aborted ? 'given up' : 'unreachable';
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A refusal is one only where it says why, and it never is a defect. */
function refusal(status: number, text: string): { kind: AnswerKind; what: string } {
  const isClear = status !== 500 && /"error":"[^"]+/.test(text);
  return { kind: isClear ? 'refused' : 'wrong', what: `${status} ${text}` };
}
