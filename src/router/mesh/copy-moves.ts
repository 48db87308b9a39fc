import { SkeinError } from '../../protocol/errors.ts';
import type { BackendView } from './backend-view.ts';
import { specOf } from './copy-spec.ts';
import type { CopyView } from './copy-view.ts';
import type { FleetView } from './fleet-view.ts';

/**
 * States reach routers within 100 ms, and later where cores are short: until then another one may know of no copy but the
 * one that leaves, and would have the model loaded again.
 */
const knownWithinMs = 1_000;

/** From when a successor serves until every router knows that the other copy is gone. */
export const leaveMs = knownWithinMs + 100;

/** Takes copies from one backend to another. Each is loaded there first, serves there, and only then leaves here. */
export class CopyMoves {
  readonly #fleet: FleetView;

  constructor(fleet: FleetView) {
    this.#fleet = fleet;
  }

  /** `wanted`: it may displace what other models hold. Rejects with why it could not be loaded there. */
  async move(copy: CopyView, target: BackendView, wanted: boolean): Promise<void> {
    const { entry, facts } = copy;
    const { session } = target;
    if (session === undefined) throw new SkeinError('link_broken', { backend: target.record.id, reason: 'it is down' });
    copy.isMoving = true;
    target.promisedBytes += facts.residentBytes;
    const startMs = performance.now();
    try {
      const successor = await session.load(specOf(entry, facts.version, wanted));
      this.#fleet.noteLoad(performance.now() - startMs, successor);
      this.#fleet.applyCopy(target, successor);
      this.leaveSoon(copy);
    } catch (fault) {
      copy.isMoving = false;
      throw fault;
    } finally {
      target.promisedBytes = Math.max(0, target.promisedBytes - facts.residentBytes);
    }
  }

  /** Its successor serves already. */
  leaveSoon(copy: CopyView): void {
    copy.isSucceeded = true;
    copy.entry.active().forgetReady();
    setTimeout(() => {
      if (hasSuccessor(copy)) void this.leave(copy);
      else stay(copy); // its successor was lost meanwhile
    }, knownWithinMs).unref();
  }

  /** Where its backend does not give it up, it stays, and may be moved once more. */
  async leave(copy: CopyView): Promise<void> {
    if (!copy.isGone) await copy.unload().catch(() => stay(copy));
  }
}

function stay(copy: CopyView): void {
  copy.isSucceeded = false;
  copy.isMoving = false;
  copy.entry.active().forgetReady();
}

export function hasSuccessor({ entry, facts }: CopyView): boolean {
  return [...entry.active().copies].some(
    (other) =>
      other.facts.version === facts.version && other.facts.stamp === facts.stamp && other.isReady && !other.isLeaving,
  );
}
