import type { SkeinError } from '../protocol/errors.ts';
import type { BackendState, CopyDescription, CopyFacts, CopySpec } from '../protocol/link/messages.ts';
import type { ModelStatistics } from '../protocol/v2/statistics.ts';
import type { RequestBody } from './request-body.ts';

/**
 * One kind of serving system, as the router sees it. A kind that cannot push its state is polled inside its adapter; one
 * that cannot load, list or describe says so in `can`, and the router then takes its declared models as always loaded.
 */
export interface Adapter {
  readonly kind: string;
  /** Resolves once the backend answered; rejects with the reason where it cannot be reached. */
  connect(target: BackendRecord, events: BackendEvents, signal: AbortSignal): Promise<BackendSession>;
}

/** A member of the fleet that can hold copies. */
export interface BackendRecord {
  readonly id: string;
  readonly kind: string;
  /** `unix:/path`, or the base URL of an external server. */
  readonly address: string;
  readonly engines: readonly string[];
  /** Models that an external server is declared to have; a Skein backend loads what it is asked to. */
  readonly models?: readonly string[];
  /** A backend apart from the others serves only what the router sends it by name: suspects, isolated models. */
  readonly apart?: boolean;
}

export interface BackendEvents {
  onState(state: BackendState, changed: readonly CopyFacts[], gone: readonly number[]): void;
  /** Nothing was heard for a while though something should have been; false when it is heard again. */
  onStalled(stalled: boolean): void;
  /** The session is over; `crash` where the process behind it ended rather than the connection alone. */
  onLost(reason: string): void;
}

export interface Capabilities {
  readonly load: boolean;
  readonly unload: boolean;
  readonly describe: boolean;
  readonly statistics: boolean;
  /** Bodies that it takes as they are; others would be translated by its adapter. */
  readonly bodies: readonly BodyDialect[];
}

export type BodyDialect = 'v2';

export interface InferCall {
  readonly copy: CopyFacts;
  readonly dialect: BodyDialect;
  readonly body: RequestBody;
  /** Value of Inference-Header-Content-Length; undefined where the client sent none. */
  readonly headerLength: number | undefined;
  /** Time left for the answer; 0 is none. */
  readonly timeoutMs: number;
  readonly traceparent: string;
  /** The version is named in the URL by the client: external servers are asked for it, too. */
  readonly versionNamed: boolean;
}

export interface InferReply {
  readonly headerLength: number | undefined;
  readonly bodyBytes: number;
  readonly inFlight: number;
  readonly latencyUs: number;
}

/** Told of one answer: onReply, then pieces, then onEnd; or onError at any point, and nothing after it. */
export interface ReplyObserver {
  onReply(reply: InferReply): void;
  onPiece(piece: Uint8Array): void;
  onEnd(): void;
  onError(error: SkeinError, requestId?: string): void;
}

/** One request under way. */
export interface Exchange {
  /** Ends it without another word to the observer. */
  cancel(): void;
  /** The receiver of the answer is slow: at most a window's worth still comes. */
  pause(): void;
  resume(): void;
}

export interface BackendSession {
  readonly can: Capabilities;
  infer(call: InferCall, observer: ReplyObserver): Exchange;
  load(copy: CopySpec, signal?: AbortSignal): Promise<CopyFacts>;
  unload(copy: CopyFacts): Promise<void>;
  describe(copy: CopyFacts): Promise<CopyDescription>;
  statistics(model?: string): Promise<readonly ModelStatistics[]>;
  close(reason: string): void;
}
