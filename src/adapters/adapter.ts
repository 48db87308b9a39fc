import type { SkeinError } from '../protocol/errors.ts';
import type { BodyDialect } from '../protocol/link/infer-head.ts';
import type {
  BackendState,
  CopyDescription,
  CopyFacts,
  CopySpec,
  FilePiece,
  ModelFinding,
} from '../protocol/link/messages.ts';
import type { RunsReport } from '../protocol/link/runs-report.ts';
import type { ModelStatistics } from '../protocol/v2/statistics.ts';
import type { RequestBody } from './request-body.ts';

/**
 * One kind of serving system, as the router sees it. A kind that cannot push its state is polled inside its adapter. One
 * that cannot list its models has the declared ones: its adapter reports a ready copy of each for as long as the server
 * lives. What else it cannot do it says in `can`; a method that is called all the same rejects with backend_cannot.
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
  /** `unix:/path`, `tcp://host:port`, or the base URL of an external server. */
  readonly address: string;
  readonly engines: readonly string[];
  /**
   * Models that an external server is declared to have; none: all that it lists. A Skein backend loads what it is asked
   * to.
   */
  readonly models?: readonly string[];
  /** What operators say of it: `gpu` is `a100`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Only models that require or tolerate these are placed on it. */
  readonly taints?: readonly string[];
  /** What fails together with it; left out: nothing is known. */
  readonly zone?: string;
  /** A backend apart from the others serves only what the router sends it by name: suspects, isolated models. */
  readonly apart?: boolean;
  /** It runs while models of its engine are wanted; its process is started for them and ends by itself. */
  readonly onDemand?: boolean;
}

export interface BackendEvents {
  /** The first one names every copy. It may come before `connect` has resolved. */
  onState(state: BackendState, changed: readonly CopyFacts[], gone: readonly number[]): void;
  /**
   * Nothing was heard for a while though something should have been, or an external server was ejected; false when it is
   * heard again. Copies stay known meanwhile.
   */
  onStalled(stalled: boolean, reason?: string): void;
  /** Models that an external server has, has not loaded, and would load: all of them, whenever that changes. */
  onOffers?(models: readonly string[]): void;
  /** The session is over; `crash` where the process behind it ended rather than the connection alone. */
  onLost(reason: string): void;
}

/** What a session can do. Asked for each time: a server may turn out to forbid what it seemed to offer. */
export interface Capabilities {
  readonly load: boolean;
  readonly unload: boolean;
  readonly describe: boolean;
  readonly statistics: boolean;
  /** Bodies that it takes as they are. Others its adapter translates, in both directions, gathering them first. */
  readonly bodies: readonly BodyDialect[];
}

export interface InferCall {
  readonly copy: CopyFacts;
  readonly dialect: BodyDialect;
  readonly body: RequestBody;
  /** Value of Inference-Header-Content-Length; undefined where the client sent none. */
  readonly headerLength: number | undefined;
  /** Time left for the answer; 0 is none. */
  readonly timeoutMs: number;
  readonly traceparent: string;
  /** The signature, where the dialect names it outside the body; left out: the body says, or the default is meant. */
  readonly signature?: string;
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
  /** True: nobody reads the pieces any more, and others may take their place. */
  onEnd(): boolean;
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
  /** Version of Skein that it runs; left out by other systems. */
  readonly software?: string | undefined;
  /** The observer hears nothing before this returns. The body is free for another try once it hears of an error. */
  infer(call: InferCall, observer: ReplyObserver): Exchange;
  /**
   * Where the files are is an external server's own business: it goes by the name, `directory` and `stamp` mean nothing
   * to it, and version 0 leaves the choice to it. It may refuse a model that is not declared of it.
   */
  load(copy: CopySpec, signal?: AbortSignal): Promise<CopyFacts>;
  /** An external server that knows no single versions unloads the others of the model with it. */
  unload(copy: CopyFacts): Promise<void>;
  /** Tells it how many requests are held until the copy is ready; kinds that make nothing of it leave it out. */
  held?(copy: CopyFacts, requests: number): Promise<void>;
  describe(copy: CopyFacts): Promise<CopyDescription>;
  statistics(model?: string): Promise<readonly ModelStatistics[]>;
  /** What the backend learned of a copy's runs; absent for systems that do not tell. */
  runs?(copy: CopyFacts): Promise<RunsReport>;
  /** What lies at a path of its model directories; kinds that have none leave it out. */
  find?(path: string): Promise<ModelFinding>;
  /** A piece of a file that it has fetched; kinds that fetch none leave it out. */
  readFile?(sha256: string, offsetBytes: number): Promise<FilePiece>;
  close(reason: string): void;
}
