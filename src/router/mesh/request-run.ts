import { performance } from 'node:perf_hooks';
import type { Exchange, InferReply, ReplyObserver } from '../../adapters/adapter.ts';
import { SkeinError } from '../../protocol/errors.ts';
import type { HeldRequest } from './cold-start.ts';
import type { CopyView, SentRequest } from './copy-view.ts';
import type { MeshRequest } from './mesh-port.ts';
import type { ModelEntry } from './model-entry.ts';

/** What one request needs of the mesh around it. */
export interface RunContext {
  /** A ready copy outside `excluded`, or undefined. */
  choose(
    entry: ModelEntry,
    version: number | undefined,
    excluded: ReadonlySet<CopyView> | undefined,
  ): CopyView | undefined;
  hold(entry: ModelEntry, version: number, request: HeldRequest): void;
  release(request: HeldRequest): void;
  /** Whether requests for this model that are at the backend of `stalled` could be served elsewhere. */
  hasElsewhere(
    entry: ModelEntry,
    version: number | undefined,
    stalled: CopyView,
    excluded: ReadonlySet<CopyView>,
  ): boolean;
  /** Pays for one more try. */
  mayRetry(): boolean;
  /** The backend was lost with this request in it: why is found out, then the run is told how to go on. */
  onLost(run: RequestRun, copy: CopyView, error: SkeinError): void;
  onFinished(run: RequestRun): void;
}

/** Answers up to this size reach the client only when they are whole: until then another copy can still answer. */
const wholeReplyBytes = 256 * 1024;

/** Beside the deadline and the budget: an answer that fails everywhere must come to an end. */
const maxAttempts = 5;

let lastNumber = 0;

/** Begins anew after four thousand million requests; by then the low numbers are long answered. */
function nextNumber(): number {
  lastNumber = (lastNumber + 1) >>> 0;
  return lastNumber;
}

/** One inference on its way: choose a copy or wait for one, send, and on a failure that allows it go on elsewhere. */
export class RequestRun implements ReplyObserver, Exchange, SentRequest, HeldRequest {
  readonly number = nextNumber();
  readonly request: MeshRequest;
  readonly entry: ModelEntry;
  readonly deadlineMs: number;
  readonly #context: RunContext;
  readonly #client: ReplyObserver;
  /** Copies that failed it. A copy that is loaded anew, be it on the same backend, is another one. */
  #excluded: Set<CopyView> | undefined;
  #lastError: SkeinError | undefined;
  readonly #startedMs: number;
  #attempts = 0;
  /** Backends of other hosts that were lost with it in them. */
  losses = 0;
  #copy: CopyView | undefined;
  #exchange: Exchange | undefined;
  #isHeld = false;
  #reply: InferReply | undefined;
  #pieces: Uint8Array[] = [];
  /** The client has something of the answer: it cannot be begun again. */
  #isStarted = false;
  #isOver = false;

  constructor(
    request: MeshRequest,
    entry: ModelEntry,
    times: { readonly nowMs: number; readonly deadlineMs: number },
    context: RunContext,
    client: ReplyObserver,
  ) {
    this.request = request;
    this.entry = entry;
    this.#startedMs = times.nowMs;
    this.deadlineMs = times.deadlineMs;
    this.#context = context;
    this.#client = client;
  }

  /** It has its answer, or nobody waits for one any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get attempts(): number {
    return this.#attempts;
  }

  /** Sends it to a ready copy, or waits for one. */
  dispatch(): void {
    const { version } = this.request;
    const copy = this.#context.choose(this.entry, version, this.#excluded);
    if (copy !== undefined) {
      this.sendTo(copy);
      return;
    }
    if (this.#lastError !== undefined && this.#context.choose(this.entry, version, undefined) !== undefined) {
      // Every copy that is ready has failed it: a load would only lead back to them.
      this.#finishWith(this.#lastError);
      return;
    }
    const wanted = this.entry.versionToLoad(version);
    if (wanted === undefined) {
      this.#finishWith(new SkeinError('model_unavailable', { model: this.entry.name }));
      return;
    }
    this.#isHeld = true;
    this.#context.hold(this.entry, wanted, this);
  }

  sendTo(copy: CopyView): void {
    this.#attempts++;
    this.#copy = copy;
    // Half an answer of a copy that failed is nobody's.
    this.#reply = undefined;
    if (this.#pieces.length > 0) this.#pieces = [];
    copy.sent.set(this.number, this);
    const { request } = this;
    const timeoutMs = this.deadlineMs === Infinity ? 0 : Math.max(1, Math.ceil(this.deadlineMs - performance.now()));
    this.#exchange = copy.session.infer(
      {
        copy: copy.facts,
        dialect: request.dialect,
        body: request.body,
        headerLength: request.headerLength,
        timeoutMs,
        traceparent: request.traceparent,
        versionNamed: request.version !== undefined,
      },
      this,
    );
  }

  onReady(): void {
    this.#isHeld = false;
    if (!this.#isOver) this.dispatch();
  }

  onRefused(error: SkeinError): void {
    this.#isHeld = false;
    this.fail(error);
  }

  onReply(reply: InferReply): void {
    this.#copy?.noteLoad(reply.inFlight, reply.latencyUs);
    this.#reply = reply;
    if (reply.bodyBytes > wholeReplyBytes) {
      this.#isStarted = true;
      this.#client.onReply(reply);
    }
  }

  onPiece(piece: Uint8Array): void {
    if (this.#isStarted) this.#client.onPiece(piece);
    else this.#pieces.push(piece);
  }

  onEnd(): boolean {
    this.#leaveCopy();
    this.#isOver = true;
    if (!this.#isStarted) {
      this.#client.onReply(this.#reply!);
      for (const piece of this.#pieces) this.#client.onPiece(piece);
    }
    this.#close();
    return this.#client.onEnd();
  }

  onError(error: SkeinError, requestId?: string): void {
    const copy = this.#copy!;
    this.#leaveCopy();
    if (this.#isStarted || !error.mayRetry) {
      this.#finishWith(error, requestId);
    } else if (error.code === 'link_broken') {
      this.exclude(copy);
      this.#context.onLost(this, copy, error);
    } else if (error.code === 'copy_gone') {
      this.exclude(copy);
      copy.noteGone();
      // Its backend knew it by its number.
      this.retry(new SkeinError('copy_gone', { model: this.entry.name }));
    } else {
      this.exclude(copy);
      this.retry(error);
    }
  }

  /** Goes on elsewhere, where the deadline, the budget and the number of tries allow. */
  retry(error: SkeinError): void {
    if (this.#isOver) return;
    if (this.#canGoOn && this.#context.mayRetry()) this.#goOn(error);
    else this.#finishWith(error);
  }

  /** Its body is still here, and time and tries are left. */
  get #canGoOn(): boolean {
    return this.request.body.isReplayable && performance.now() < this.deadlineMs && this.#attempts < maxAttempts;
  }

  #goOn(error: SkeinError): void {
    this.#lastError = error;
    this.dispatch();
  }

  /** Ends it for the client. */
  fail(error: SkeinError): void {
    if (!this.#isOver) this.#finishWith(error);
  }

  /** A copy that failed this request is not tried again. */
  exclude(copy: CopyView): void {
    this.#excluded ??= new Set();
    this.#excluded.add(copy);
  }

  onStalled(): void {
    const copy = this.#copy;
    if (copy === undefined || this.#isStarted || !this.#canGoOn) return;
    const excluded = new Set(this.#excluded).add(copy);
    // Where it cannot go elsewhere it stays: the backend may come back.
    const { version } = this.request;
    if (!this.#context.hasElsewhere(this.entry, version, copy, excluded) || !this.#context.mayRetry()) return;
    this.#exchange?.cancel();
    this.#leaveCopy();
    // Not excluded: while it is silent it is nobody's choice, and when it answers again it may be the only one.
    this.#goOn(new SkeinError('link_broken', { backend: copy.backend.record.id, reason: 'silent for a second' }));
  }

  /** Called now and then: true where the deadline has passed and the client was told. */
  expire(nowMs: number): boolean {
    if (this.#isOver || nowMs < this.deadlineMs || this.#isStarted || this.#isHeld) return false;
    this.#exchange?.cancel();
    this.#leaveCopy();
    const ms = Math.round(nowMs - this.#startedMs);
    this.#finishWith(new SkeinError('deadline_passed', { ms, stage: 'before the answer' }));
    return true;
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#isHeld) this.#context.release(this);
    this.#exchange?.cancel();
    this.#leaveCopy();
    this.#close();
  }

  pause(): void {
    this.#exchange?.pause();
  }

  resume(): void {
    this.#exchange?.resume();
  }

  #leaveCopy(): void {
    this.#copy?.sent.delete(this.number);
    this.#copy = undefined;
    this.#exchange = undefined;
  }

  #finishWith(error: SkeinError, requestId?: string): void {
    this.#isOver = true;
    this.#close();
    this.#client.onError(error, requestId);
  }

  #close(): void {
    this.request.body.release();
    this.#context.onFinished(this);
  }
}
