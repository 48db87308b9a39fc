import type { CopyPhase } from '../../protocol/link/messages.ts';

/** One version of one model, as a server shows it. */
export interface ModelSighting {
  readonly model: string;
  /** 1 where the server names none, or none that is a number. */
  readonly version: number;
  /** As the server names it, for its URLs; undefined where it names none. */
  readonly versionName: string | undefined;
  readonly phase: CopyPhase;
  /** Why it is not ready; '' where it is, or where nothing was said. */
  readonly reason: string;
}

/** What a look at a server has shown. */
export interface Survey {
  readonly sightings: readonly ModelSighting[];
  /** Models that it has not loaded and would load. */
  readonly offers: readonly string[];
}

/** The number that a version goes by here. */
export function versionNumber(name: string | undefined): number {
  return name !== undefined && /^\d{1,15}$/.test(name) ? Number(name) : 1;
}

/** A model that the settings file declares and the server does not serve. */
export function missing(model: string, reason: string): ModelSighting {
  return { model, version: 1, versionName: undefined, phase: 'failed', reason };
}
