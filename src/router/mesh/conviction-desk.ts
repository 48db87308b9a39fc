import { setTimeout as sleep } from 'node:timers/promises';
import type { Conviction } from '../../fleet/conviction.ts';
import type { FleetChanges, FleetListener, FleetSnapshot, Registry } from '../../fleet/registry.ts';
import { SkeinError } from '../../protocol/errors.ts';
import type { Quarantine, Refusal } from '../routing/quarantine.ts';
import type { FleetReport } from './reports.ts';
import { noSiblings, type RouterSiblings } from './router-siblings.ts';

type Log = (message: string, facts: Record<string, unknown>) => void;

/** Convictions that wait for a registry that is away; further ones hold in this router alone. */
const mostWaiting = 256;
const againMs = 2_000;

/** In one report. */
const mostReported = 20;

/**
 * What may not be tried for a while: by this router's own convictions, by those of the processes behind the same port, and
 * in a fleet by those of the others.
 */
export class ConvictionDesk implements FleetListener {
  readonly #quarantine: Quarantine;
  readonly #log: Log;
  readonly #siblings: RouterSiblings;
  readonly #known = new Map<string, Conviction>();
  #fleet: { readonly registry: Registry; readonly self: string } | undefined;
  #waiting = 0;
  #count = 0;

  constructor(quarantine: Quarantine, log: Log, siblings = noSiblings) {
    this.#quarantine = quarantine;
    this.#log = log;
    this.#siblings = siblings;
  }

  /** Tells the other routers from now on, and goes by what they tell. */
  shareThrough(registry: Registry, self: string): void {
    this.#fleet = { registry, self };
    registry.watch(this);
  }

  /** How long it is still refused; 0 = it may be tried. */
  refusedForMs(model: string, what: Conviction['what'], mark: string): number {
    return this.#quarantine.refusedForMs(model, what, mark, performance.now());
  }

  /** Two processes ended with it: it is refused from now on. */
  convict(model: string, what: Conviction['what'], mark: string): void {
    this.#count++;
    this.#log(`${what} convicted: its process crashed twice with it`, { model, mark });
    const forMs = this.#quarantine.convict(model, what, mark, performance.now());
    const refusal: Refusal = { model, what, mark, forMs };
    this.#siblings.convict(refusal);
    if (this.#fleet !== undefined) void this.#tell({ ...refusal, by: this.#fleet.self });
  }

  /** A process behind the same port convicted it. The one that leads tells the others. */
  hear(refusal: Refusal): void {
    const { model, what, mark, forMs } = refusal;
    if (this.refusedForMs(model, what, mark) > 0) return; // this one's own, or heard already
    this.#quarantine.learn(model, what, mark, forMs, performance.now());
    this.#log(`${what} refused: another process behind this port convicted it`, { model, mark });
    if (this.#siblings.leader === undefined) this.#siblings.convict(refusal);
  }

  /** What holds now, the oldest first, for a process that begins. */
  inForce(): Refusal[] {
    return this.#quarantine.refused(performance.now()).reverse();
  }

  report(nowMs: number): Pick<FleetReport, 'convictions' | 'refused' | 'refusals'> {
    const refused = this.#quarantine.refused(nowMs);
    return { convictions: this.#count, refused: refused.length, refusals: refused.slice(0, mostReported) };
  }

  /** Bodies of requests for this model that are refused. */
  bodiesRefused(model: string, nowMs: number): number {
    return this.#quarantine.refused(nowMs).filter((one) => one.model === model && one.what === 'body').length;
  }

  onChange({ convictions }: FleetSnapshot, { convictions: names }: FleetChanges): void {
    for (const name of names) {
      const conviction = convictions.get(name);
      if (conviction === undefined) this.#forget(name);
      else this.#learn(name, conviction);
    }
  }

  /** Told again until the registry has it, or it would not hold any more. */
  async #tell(conviction: Conviction): Promise<void> {
    if (this.#waiting >= mostWaiting) return;
    this.#waiting++;
    let told = '';
    const untilMs = performance.now() + conviction.forMs;
    for (let leftMs = conviction.forMs; leftMs > 0; leftMs = Math.ceil(untilMs - performance.now())) {
      try {
        await this.#fleet!.registry.convict({ ...conviction, forMs: leftMs });
        break;
      } catch (fault) {
        const reason = SkeinError.from(fault).message;
        if (reason !== told) this.#log('a conviction holds in this router alone for now', { reason });
        told = reason;
      }
      await sleep(againMs, undefined, { ref: false });
    }
    this.#waiting--;
  }

  #learn(name: string, conviction: Conviction): void {
    if (this.#known.has(name)) return;
    this.#known.set(name, conviction);
    const { model, what, mark, by, forMs } = conviction;
    this.#quarantine.learn(model, what, mark, forMs, performance.now());
    if (by !== this.#fleet?.self) this.#log(`${what} refused: another router convicted it`, { model, mark, by });
  }

  #forget(name: string): void {
    const conviction = this.#known.get(name);
    if (conviction === undefined) return;
    this.#known.delete(name);
    this.#quarantine.pardon(conviction.model, conviction.what, conviction.mark);
  }
}
