import type { Endpoint, WireRequest } from './lane.ts';
import type { LoadWindow } from './load-window.ts';
import type { Picker } from './zipf.ts';

/** What is sent. */
export interface Traffic {
  readonly endpoint: Endpoint;
  /** One for each kind of request; mostly one for each model. */
  readonly requests: readonly WireRequest[];
  /** Which kind comes next. */
  readonly pick: Picker;
  /** A request without a whole answer after this long is given up and counts as failed. */
  readonly timeoutMs: number;
}

/** Requests that go on until they are stopped. */
export interface Load {
  /** What came of it since the last cut. */
  cut(): LoadWindow;
  stop(): void;
}

/** Time-outs are looked for this often: they need not be exact, and a timer for each request would cost. */
export const timeoutCheckMs = 250;
