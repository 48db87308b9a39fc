import { SkeinError } from '../../protocol/errors.ts';
import { blamesRequests } from '../routing/process-end.ts';
import type { ColdStart } from './cold-start.ts';
import type { ConvictionDesk } from './conviction-desk.ts';
import type { ModelEntry } from './model-entry.ts';
import type { ProcessKeeper } from './process-keeper.ts';

/** A model whose loads are lost with their processes so often in a row is taken to be what ends them. */
const maxLostLoads = 3;

/**
 * What becomes of a load whose backend was lost. In a fleet one whose process crashed is tried once more while no other
 * suspect is; where that ends a process, too, no router loads these files again for a while.
 */
export class LostLoads {
  readonly #processes: ProcessKeeper;
  readonly #convictions: ConvictionDesk;

  constructor(processes: ProcessKeeper, convictions: ConvictionDesk) {
    this.#processes = processes;
    this.#convictions = convictions;
  }

  /** Why these files are not loaded now; undefined where they may be. */
  refusal(entry: ModelEntry, version: number): SkeinError | undefined {
    const forMs = this.#convictions.refusedForMs(entry.name, 'load', markOf(version, entry.stampOf(version)));
    return forMs === 0 ? undefined : convictedError(entry, version, forMs);
  }

  /** Resolves with why it is not tried again; with undefined where it is. */
  async judge(start: ColdStart, backendId: string): Promise<SkeinError | undefined> {
    const { entry, version, stamp } = start;
    const hadTurn = start.endTurn !== undefined;
    start.endTurn = undefined;
    start.lostLoads++;
    const isBlamed = this.#processes.takeTurn !== undefined && blamesRequests(await this.#processes.endOf(backendId));
    if (isBlamed && hadTurn) {
      this.#convictions.convict(entry.name, 'load', markOf(version, stamp));
      return this.refusal(entry, version);
    }
    if (start.lostLoads >= maxLostLoads) {
      return failed(entry, version, `the backend ended ${start.lostLoads} times while it loaded this model`);
    }
    if (isBlamed) start.endTurn = await this.#processes.takeTurn!();
    return undefined;
  }
}

function markOf(version: number, stamp: string): string {
  return `${version}:${stamp}`;
}

function convictedError(entry: ModelEntry, version: number, forMs: number): SkeinError {
  const seconds = Math.ceil(forMs / 1_000);
  return failed(
    entry,
    version,
    `two backends ended while they loaded these files; they are not loaded for ${seconds} s unless they change`,
  );
}

function failed({ name }: ModelEntry, version: number, reason: string): SkeinError {
  return new SkeinError('load_failed', { model: name, version, reason });
}
