import type { ErrorCode, ErrorFacts } from '../errors.ts';
import type { NamedSignature } from '../tensors/named-signature.ts';
import type { Signature } from '../tensors/tensor.ts';

/** The JSON messages of the link. Receivers ignore members they do not know, so that neighbouring versions work together. */

export interface Hello {
  /** Link versions that the sender speaks; the highest common one holds. */
  readonly versions: readonly [min: number, max: number];
  readonly role: 'router' | 'backend';
  readonly id: string;
  readonly software: string;
  /** How much of one stream's body the sender of this takes before it grants more. */
  readonly streamWindowBytes: number;
  /** Drawn for this connection by who wants a proof; the other end's proof is over it. */
  readonly nonce?: string;
  /** The sender proves itself by a ticket for files, and asks for nothing else. */
  readonly hasTicket?: boolean;
}

/** That the sender knows the fleet's secret, over both hellos. */
export interface Proof {
  readonly proof: string;
}

export const linkVersions: readonly [min: number, max: number] = [1, 1];

/** The version two peers speak, or undefined where they have none in common. */
export function commonVersion(a: Hello['versions'], b: Hello['versions']): number | undefined {
  const version = Math.min(a[1], b[1]);
  return version >= Math.max(a[0], b[0]) ? version : undefined;
}

export interface LinkError {
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;
  readonly requestId?: string;
}

export interface Goodbye {
  readonly reason: string;
}

/** One version of one model, as the router asks a backend to load it. */
export interface CopySpec {
  readonly model: string;
  readonly version: number;
  /** The model's directory in a repository that the backend can read, or a single model file. */
  readonly directory: string;
  /** Where its files are to be fetched from; `directory` means nothing then. */
  readonly source?: { readonly url: string; readonly sha256: string };
  /** Backends that have its files most likely, to be asked before the source; left out: none is known. */
  readonly peers?: readonly Peer[];
  /** Changes when the files or the configuration change: a copy of another stamp is not the same copy. */
  readonly stamp: string;
  /** A ModelConfig in JSON that replaces config.pbtxt. */
  readonly configOverride?: string;
  /** Never evicted. */
  readonly pinned: boolean;
  /** True while a request waits for this copy: guards against thrashing yield to it. */
  readonly wanted: boolean;
}

/** Another backend. */
export interface Peer {
  readonly id: string;
  /** `tcp://host:port` */
  readonly address: string;
  /** The key, in hexadecimal, by which whoever is told of this backend may fetch files from it; left out: it needs none. */
  readonly ticket?: string;
}

/** A part of a file. */
export interface FilePiece {
  /** Of the whole file. */
  readonly sizeBytes: number;
  /** From where it was asked for, in base64; how much is the sender's choice. */
  readonly data: string;
}

export type CopyPhase = 'loading' | 'warming' | 'ready' | 'draining' | 'unloading' | 'failed';

/** What a backend says of a copy. */
export interface CopyFacts {
  readonly id: number;
  readonly model: string;
  readonly version: number;
  readonly stamp: string;
  readonly phase: CopyPhase;
  readonly residentBytes: number;
  /** Memory that its largest run so far took beside that. */
  readonly peakBytes: number;
  /** What the next load of it takes there: with its optimised graph from the cache, where the first one had to make it. */
  readonly loadMs: number;
  /** While loading: when it is expected to be ready, from now. */
  readonly readyInMs?: number;
  /** While its files are fetched. */
  readonly fetching?: { readonly doneBytes: number; readonly totalBytes: number };
  /** Slots: runs that may be under way at once. */
  readonly slots: number;
  readonly inFlight: number;
  /** While loading: requests that routers hold until it is ready, all that have said so; left out: none. */
  readonly held?: number;
  readonly latencyUs: number;
  readonly reason?: LinkError;
}

export interface BackendState {
  readonly budgetBytes: number;
  /** Most that the budget may grow to, where it is divided among processes; left out: it stays. */
  readonly ceilingBytes?: number;
  readonly usedBytes: number;
  /** What the cheapest copies that it would give up are worth; 0 while it has room. */
  readonly evictionPrice: number;
  readonly loadsQueued: number;
  /** Copies given up for others since the process began. */
  readonly evictions: number;
  /** That its runs may hold now; a backend of an older version does not tell. */
  readonly cores?: number;
  readonly draining: boolean;
  readonly pid: number;
  /** Of models that are fetched; absent where it fetches none. */
  readonly sources?: SourceState;
}

/** Totals since the process began, and the cache of fetched files. */
export interface SourceState {
  readonly cacheBytes: number;
  readonly cacheLimitBytes: number;
  readonly cacheFiles: number;
  /** Files that were there already when a model wanted them. */
  readonly hits: number;
  /** Files that were fetched and verified. */
  readonly fetched: number;
  readonly fetchedBytes: number;
  /** Of these, from another backend. */
  readonly fromPeers: number;
  /** Downloads that went on where an earlier one had broken off. */
  readonly resumed: number;
  readonly evicted: number;
  /** Handed to other backends; left out by those that do not. */
  readonly offeredBytes?: number;
  /** Files that could not be had. */
  readonly failed: number;
  /** Of these, for another digest than the catalogue's. */
  readonly mismatched: number;
  /** Files that are being fetched, or wait for it. */
  readonly underWay: number;
}

/** Pushed on change, at most every 100 ms; the first on a connection names every copy. */
export interface State {
  readonly backend: BackendState;
  readonly changed: readonly CopyFacts[];
  readonly gone: readonly number[];
}

/** Everything a client may be told of a loaded copy. `config` is Triton's JSON form. */
export interface CopyDescription {
  readonly platform: string;
  /** The default one, as the configuration shows it to clients. */
  readonly signature: Signature;
  /** All of them as the model itself has them, the default first; absent where the server does not tell. */
  readonly signatures?: readonly NamedSignature[];
  readonly maxBatchSize: number;
  readonly config: unknown;
}

export type Call =
  | { readonly verb: 'load'; readonly copy: CopySpec }
  | { readonly verb: 'unload'; readonly copy: number }
  /** How many requests the router holds until this copy is ready. A backend that does not know the verb refuses it. */
  | { readonly verb: 'held'; readonly copy: number; readonly requests: number }
  | { readonly verb: 'describe'; readonly copy: number }
  /** Answered with a RunsReport. */
  | { readonly verb: 'runs'; readonly copy: number }
  | { readonly verb: 'statistics'; readonly model?: string }
  | { readonly verb: 'engine' }
  /** Memory of the router that bodies lie in, on this host. A backend that cannot read it refuses, and gets bodies as data. */
  | { readonly verb: 'share'; readonly path: string; readonly bytes: number }
  /** What lies at a path below the backend's model directories: ModelFinding. */
  | { readonly verb: 'find'; readonly path: string }
  /** Asked by other backends: a FilePiece of a file that it has fetched. */
  | { readonly verb: 'file'; readonly sha256: string; readonly offsetBytes: number };

/** A model as its files show it. */
export interface ModelFinding {
  readonly versions: readonly number[];
  readonly stamps: readonly string[];
  /** Of the newest of its files, of the wall clock. */
  readonly changedAtMs: number;
}

/** A call's answer: `ok` carries what the verb promises, else the error. */
export type CallResult<T = unknown> = { readonly ok: T } | { readonly error: LinkError };
