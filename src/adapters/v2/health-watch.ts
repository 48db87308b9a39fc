import { afterBrokenConnection, afterProbe, type Health, type HealthSettings, type Sign } from './health-policy.ts';

interface HealthHandler {
  /** Asks the server once; never rejects. */
  probe(): Promise<Sign>;
  /** After each good probe, the one that readmits included. */
  onAnswered(): void;
  onEjected(reason: string): void;
  onReadmitted(): void;
}

/** Carries out the health policy: the clock, the lots and the probes. */
export class HealthWatch {
  readonly #settings: HealthSettings;
  readonly #handler: HealthHandler;
  #health: Health;
  #timer: NodeJS.Timeout | undefined;
  #isProbing = false;
  #isStopped = false;
  #heardAtMs = 0;

  /** Of a server that has just answered. The first probe comes after the usual interval. */
  constructor(settings: HealthSettings, handler: HealthHandler) {
    this.#settings = settings;
    this.#handler = handler;
    const nowMs = performance.now();
    this.#health = { kind: 'serving', failures: 0, probedAtMs: nowMs, nextProbeAtMs: nowMs + settings.intervalMs };
    this.#schedule();
  }

  /** Why it is ejected; undefined while it serves. */
  get ejection(): string | undefined {
    return this.#health.kind === 'ejected' ? this.#health.reason : undefined;
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** The server answered something else: a probe that is silent just now proves nothing. */
  noteHeard(): void {
    this.#heardAtMs = performance.now();
  }

  /** A request or an idle connection broke. */
  noteBroken(): void {
    this.#health = afterBrokenConnection(this.#health, performance.now(), this.#settings);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isStopped || this.#isProbing) return;
    clearTimeout(this.#timer);
    const delayMs = Math.max(0, this.#health.nextProbeAtMs - performance.now());
    this.#timer = setTimeout(() => void this.#probe(), delayMs).unref();
  }

  async #probe(): Promise<void> {
    this.#isProbing = true;
    const startedAtMs = performance.now();
    const seen = await this.#handler.probe();
    this.#isProbing = false;
    if (this.#isStopped) return;
    const sign: Sign = seen.kind === 'failed' && this.#heardAtMs > startedAtMs ? { kind: 'answered' } : seen;
    const before = this.#health.kind;
    const health = afterProbe(this.#health, sign, performance.now(), Math.random(), this.#settings);
    this.#health = health;
    this.#schedule();
    if (health.kind === 'ejected' && before === 'serving') this.#handler.onEjected(health.reason);
    if (health.kind === 'serving' && before === 'ejected') this.#handler.onReadmitted();
    if (sign.kind === 'answered') this.#handler.onAnswered();
  }
}
