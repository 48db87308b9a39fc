import type { WindowMeans } from './load-window.ts';
import type { ScalingOptions } from './options.ts';
import type { ScalingMode } from './snapshot.ts';

/** What one decision leaves for the next. */
export interface PanicState {
  /** When the load was last above what panics; undefined: calm. */
  readonly sinceMs: number | undefined;
  /** Most copies wanted since the panic began: it never wants fewer. */
  readonly most: number;
  readonly mode: 'panic' | 'burst';
}

export const calm: PanicState = Object.freeze({ sinceMs: undefined, most: 0, mode: 'panic' });

interface LoadMeans {
  readonly stable: WindowMeans;
  readonly panic: WindowMeans;
}

interface Desired {
  readonly copies: number;
  readonly mode: ScalingMode;
  readonly urgent: boolean;
  readonly panic: PanicState;
}

/** Stable history that must be there before a rate can be called a jump. */
const minHistoryMs = 3_000;

/**
 * How many copies the load calls for, before limits: the rule of Knative's autoscaler (KPA) per model, with loaded copies
 * for pods. Two windows each want `load / target`; the stable one holds until the panic one wants `panicRatio` times what
 * is ready, and then the higher of the two, never less, until that has not been so for a whole stable window.
 *
 * One thing is added: a rate that jumps wants a second copy before the first one is overwhelmed, because a queue that
 * has begun to grow grows for as long as the load of the second copy takes.
 *
 * Source: knative/serving, pkg/autoscaler/scaling/autoscaler.go.
 */
export function desiredCopies(
  means: LoadMeans,
  readyCopies: number,
  target: number,
  routers: number,
  before: PanicState,
  options: ScalingOptions,
  nowMs: number,
): Desired {
  const ready = Math.max(1, readyCopies);
  const step = (copies: number) =>
    Math.min(Math.ceil(options.maxUpFactor * ready), Math.max(Math.floor(ready / options.maxDownFactor), copies));
  const byStable = Math.ceil(means.stable.load / target);
  const byPanic = Math.ceil(means.panic.load / target);
  const isOver = byPanic / ready >= options.panicRatio;
  const isBurst = ready < 2 && isJump(means, routers, options);
  const stable = step(byStable);

  if (isOver || isBurst || before.sinceMs !== undefined) {
    const renewed = isOver || isBurst;
    const sinceMs = renewed ? nowMs : before.sinceMs!;
    if (renewed || nowMs - sinceMs <= options.stableMs) {
      const most = Math.max(before.most, stable, step(byPanic), isBurst ? 2 : 0);
      const mode = isOver || (before.sinceMs !== undefined && before.mode === 'panic') ? 'panic' : 'burst';
      return { copies: most, mode, urgent: isOver, panic: { sinceMs, most, mode } };
    }
  }
  return { copies: stable, mode: 'stable', urgent: byStable > readyCopies, panic: calm };
}

/** Requests in flight that a copy is meant for. */
export function copyTarget(slotsPerCopy: number, options: ScalingOptions): number {
  return Math.max(1, slotsPerCopy) * options.inFlightPerSlot * options.utilisation;
}

/** The panic window against what the stable window holds beside it. */
function isJump({ stable, panic }: LoadMeans, routers: number, options: ScalingOptions): boolean {
  const historyMs = stable.spanMs - panic.spanMs;
  if (historyMs < minHistoryMs || panic.perSecond * routers < options.burstMinPerSecond) return false;
  const before = (stable.perSecond * stable.spanMs - panic.perSecond * panic.spanMs) / historyMs;
  return panic.perSecond >= options.burstRatio * before;
}
