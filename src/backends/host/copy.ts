import { SkeinError } from '../../protocol/errors.ts';
import type { CopyFacts, CopySpec } from '../../protocol/link/messages.ts';
import type { Tensor } from '../../protocol/tensors/tensor.ts';
import type { EncodedBody } from '../../protocol/v2/infer-reply.ts';
import { AnswerOrder } from '../batching/answer-order.ts';
import { Batcher, type NextStep } from '../batching/batcher.ts';
import { LatencyModel } from '../batching/latency-model.ts';
import type { RunSetting } from '../batching/run-setting.ts';
import { batchKey } from './batch-key.ts';
import { type BatchOutcome, type BatchRun, batchOf, runBatch } from './batch-run.ts';
import {
  type BodyCodec,
  type BodyFacts,
  bodyCodecs,
  type CodecModel,
  type DecodedRequest,
  isSeveral,
} from './body-codec.ts';
import { codecModelOf } from './codec-model.ts';
import { CopyRuns } from './copy-runs.ts';
import type { CopyStatistics, RunTimes } from './copy-statistics.ts';
import type { CoreShare } from './core-share.ts';
import { type Cancellable, InferWork, type Responder } from './infer-work.ts';
import { JoinedCalls } from './joined-calls.ts';
import { refusedAtOnce, refusedLate } from './queue-refusal.ts';
import { QuickLane } from './quick-lane.ts';
import type { ServingParts } from './serving-parts.ts';

/** What a copy shares with the others of its process. */
interface CopyHost {
  readonly statistics: CopyStatistics;
  readonly cores: CoreShare;
  /** Takes memory for a further session of the model; false where others would have to go for it. */
  readonly takeRoom: (bytes: number) => boolean;
  /** The most memory that its runs may take at once. */
  readonly runLimitBytes: number;
  /** `hasGrown`: since it was idle last, its runs came to take more memory than before. */
  readonly onIdle: (hasGrown: boolean) => void;
}

/** Timers of Node hold no more; what is due later is looked at then. */
const longestTimerMs = 2 ** 31 - 1;

/** Other copies wait meanwhile, and requests that have come. */
const longestHereMs = 0.5;

/** Weight of the newest answer in the smoothed latency. */
const latencyWeight = 0.1;

/** A ready copy: queue, batches, runs, answers. */
export class Copy {
  readonly id: number;
  readonly spec: CopySpec;
  readonly parts: ServingParts;
  readonly statistics: CopyStatistics;
  readonly runs: CopyRuns;
  readonly #codecModel: CodecModel;
  readonly #batcher: Batcher<InferWork>;
  readonly #runTimes = new LatencyModel();
  readonly quick: QuickLane;
  /** Only for models that ask for answers in the order of their requests. */
  readonly #order: AnswerOrder<() => void> | undefined;
  readonly #cores: CoreShare;
  readonly #onIdle: (hasGrown: boolean) => void;
  #whenIdle: (() => void) | undefined;
  #inFlight = 0;
  #latencyMs = 0;
  #waitsForCores = false;
  #kicked = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(id: number, spec: CopySpec, parts: ServingParts, host: CopyHost) {
    this.id = id;
    this.spec = spec;
    this.parts = parts;
    this.statistics = host.statistics;
    this.#cores = host.cores;
    this.#onIdle = host.onIdle;
    this.#codecModel = codecModelOf(spec, parts);
    this.#batcher = new Batcher(parts.batching, this.#runTimes);
    this.quick = new QuickLane(parts);
    this.runs = new CopyRuns({
      model: parts.model,
      cores: host.cores.count,
      layouts: parts.layouts,
      maxRows: parts.batching.maxBatchRows,
      rowsAreGiven: parts.rowsAreGiven,
      takeRoom: host.takeRoom,
      runLimitBytes: host.runLimitBytes,
    });
    this.#order = parts.batching.preserveOrdering ? new AnswerOrder() : undefined;
  }

  /** Requests queued or in a run. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Has answered something. */
  get wasUsed(): boolean {
    return this.runs.peakRows > 0;
  }

  get latencyUs(): number {
    return this.#latencyMs * 1000;
  }

  /** Resolves once no request is in it; nobody may send it new ones. */
  async whenIdle(): Promise<void> {
    if (this.#inFlight === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
    });
  }

  facts(): Pick<CopyFacts, 'slots' | 'inFlight' | 'latencyUs' | 'peakBytes'> {
    const { slots } = this.parts.layouts[0]!;
    const peakBytes = this.runs.memory.runPeakBytes;
    return { slots, inFlight: this.#inFlight, latencyUs: this.latencyUs, peakBytes };
  }

  /** Takes a whole request; the answer goes to `responder`. Returns the work to cancel, or undefined where it is answered. */
  infer(
    body: readonly Uint8Array[],
    facts: BodyFacts,
    timeoutMs: number,
    responder: Responder,
  ): Cancellable | undefined {
    const codec = bodyCodecs[facts.kind];
    let calls: DecodedRequest | readonly DecodedRequest[];
    try {
      // A router of a later version may speak what is not known here yet.
      if (codec === undefined) throw new SkeinError('body_unknown', { kind: facts.kind });
      calls = codec.decode(body, facts, this.#codecModel);
    } catch (fault) {
      responder.fail(SkeinError.from(fault), undefined);
      return undefined;
    }
    if (!isSeveral(calls)) return this.#take(calls, codec, timeoutMs, responder);
    if (calls.length === 0) {
      responder.reply({ headerLength: undefined, parts: [], byteLength: 0 });
      return undefined;
    }
    return this.#takeAll(calls, codec, timeoutMs, responder);
  }

  #takeAll(calls: readonly DecodedRequest[], codec: BodyCodec, timeoutMs: number, responder: Responder): Cancellable {
    const all = new JoinedCalls(calls.length, responder);
    for (const [i, call] of calls.entries()) all.add(this.#take(call, codec, timeoutMs, all.responder(i)));
    return all;
  }

  #take(decoded: DecodedRequest, codec: BodyCodec, timeoutMs: number, responder: Responder): InferWork | undefined {
    const nowMs = performance.now();
    const { maxBatchRows, maxRequestRows = Infinity } = this.parts.batching;
    const { request } = decoded;
    if (request.batchSize > maxRequestRows) {
      const facts = { rows: request.batchSize, limit: maxRequestRows };
      responder.fail(new SkeinError('task_too_large', facts), request.id);
      return undefined;
    }
    const work = new InferWork(decoded, codec, responder, {
      arrivedMs: nowMs,
      // One that brings more than are joined, or has no rows to join, fills a batch: it runs by itself.
      rows: decoded.batched && request.inputs.length > 0 ? Math.min(request.batchSize, maxBatchRows) : maxBatchRows,
      key: batchKey(decoded, this.parts.batching),
      priority: request.parameters.priority,
      timeoutUs: request.parameters.timeoutUs,
      deadlineMs: timeoutMs === 0 ? Infinity : nowMs + timeoutMs,
    });
    const refusal = this.#batcher.push(work, nowMs);
    if (refusal !== undefined) {
      this.statistics.failure(0, 'REJECTED');
      responder.fail(refusedAtOnce(refusal, timeoutMs), work.request.id);
      return undefined;
    }
    work.place = this.#order?.enter();
    this.#inFlight++;
    work.onCancel = () => this.#onCancel(work);
    this.#kick();
    return work;
  }

  /** Once every request of this turn of the event loop is in the queue: they may share a run. */
  #kick(): void {
    if (this.#kicked) return;
    this.#kicked = true;
    setImmediate(() => {
      this.#kicked = false;
      this.#pump();
    });
  }

  #pump(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#waitsForCores && this.#runHere()) return;
    let isBusy = this.#waitsForCores;
    while (!this.#waitsForCores && this.#batcher.queuedItems > 0) {
      const setting = this.#plan();
      isBusy = this.runs.underWay.count >= setting.slots;
      if (isBusy) break;
      const cores = this.runs.coresOf(setting);
      const ticket = { copy: this.spec.model, cores, overdraw: this.parts.slotsAreGiven };
      this.#waitsForCores = true;
      let grantedNow = true;
      const granted = this.#cores.take(ticket, (giveBack) => {
        this.#waitsForCores = false;
        const started = this.#startRun(grantedNow ? setting : this.#planFor(setting), giveBack);
        if (!grantedNow && started) this.#pump();
        return started;
      });
      grantedNow = false;
      isBusy = this.#waitsForCores;
      if (!granted) break;
    }
    // While nothing can be started, too, those whose time is over are told so then, and not when a run ends.
    if (isBusy && this.#batcher.queuedItems > 0) this.#nextStep(performance.now(), 0);
  }

  /** Runs what is due and quick, before anything is handed to a thread. True where it has to come back for more. */
  #runHere(): boolean {
    const endMs = performance.now() + longestHereMs;
    while (this.#batcher.queuedItems > 0) {
      const startMs = performance.now();
      const maxRows = this.quick.mostRows(this.#batcher, this.runs.underWay.count, startMs);
      if (maxRows === 0) return false;
      if (startMs > endMs) {
        this.#kick();
        return true;
      }
      const step = this.#nextStep(startMs, 1, maxRows);
      if (step.kind === 'wait') return false;
      this.#cores.touch(startMs);
      const batch = batchOf(this, step, startMs, () => this.parts.model);
      let outcome: BatchOutcome;
      try {
        outcome = this.quick.run(batch, step.rows);
      } catch (fault) {
        void this.#failRun(batch, SkeinError.from(fault));
        continue;
      }
      this.runs.ranHere(batch.rows, startMs, outcome.endedMs);
      this.#answerAll(batch, outcome);
    }
    return false;
  }

  #plan(): RunSetting {
    const nowMs = performance.now();
    const { queuedRows, nextExpiryMs } = this.#batcher;
    return this.runs.plan(queuedRows, this.#cores.waiting, nextExpiryMs - nowMs, nowMs);
  }

  /** The cores were waited for: more may be queued now, but so many they are. */
  #planFor(waited: RunSetting): RunSetting {
    const setting = this.#plan();
    return this.runs.coresOf(setting) === this.runs.coresOf(waited) ? setting : waited;
  }

  /** Forms a batch now that it can run. False where nothing is due yet: the cores are given back at once. */
  #startRun(setting: RunSetting, giveBack: () => void): boolean {
    const nowMs = performance.now();
    const freeSlots = Math.max(1, setting.slots - this.runs.underWay.count);
    // What is there is shared among the slots that are free, rather than given to the first of them.
    const share = Math.ceil(this.#batcher.queuedRows / freeSlots);
    const step = this.#nextStep(nowMs, freeSlots, this.parts.rowsAreGiven ? Infinity : Math.min(setting.rows, share));
    if (step.kind === 'wait') {
      giveBack();
      return false;
    }
    const batch = batchOf(this, step, nowMs, () => this.runs.model(setting.threads));
    const run = this.runs.begin(setting, batch.rows, nowMs);
    let isFree = false;
    void this.#run(batch, (isTypical, endedMs) => {
      if (isFree) return;
      isFree = true;
      if (isTypical) this.quick.ranElsewhere(step.items[0]!, step.rows, endedMs - nowMs);
      this.runs.end(run, isTypical, endedMs);
      giveBack();
      this.#pump();
    });
    return true;
  }

  /** What the queue wants now: answers those whose time is over, and comes back when the queue has to be looked at. */
  #nextStep(nowMs: number, freeSlots: number, maxRows?: number): NextStep<InferWork> {
    const step = this.#batcher.next(nowMs, freeSlots, maxRows);
    for (const { item, why } of step.expired) this.#expire(item, why, nowMs);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (step.kind === 'wait' && step.wakeAtMs !== Infinity) {
      const delayMs = Math.min(longestTimerMs, Math.max(0, Math.ceil(step.wakeAtMs - nowMs)));
      this.#timer = setTimeout(() => this.#pump(), delayMs);
    }
    return step;
  }

  /** `free` is called once the slot can be used again. */
  async #run(batch: BatchRun, free: (isTypical: boolean, endedMs: number) => void): Promise<void> {
    let outcome: BatchOutcome;
    try {
      outcome = await runBatch(batch);
    } catch (fault) {
      await this.#failRun(batch, SkeinError.from(fault));
      free(false, performance.now());
      return;
    }
    const endedMs = performance.now();
    // A next run does not wait for these answers. Where there is none they leave first, and what is learned comes after.
    const isAwaited = this.#batcher.queuedItems > 0 || this.#cores.waiting > 0;
    if (isAwaited) free(true, endedMs);
    this.#answerAll(batch, outcome);
    if (!isAwaited) setImmediate(() => free(true, endedMs));
  }

  /** What one request holds may fail the run of its whole batch: only that one is told so. */
  async #failRun(batch: BatchRun, error: SkeinError): Promise<void> {
    const { items } = batch;
    if (items.length === 1 || error.code !== 'run_failed') {
      for (const item of items) this.#fail(item, error);
      return;
    }
    for (const item of items) {
      if (item.cancelled) this.#drop(item);
      else await this.#run(batchOf(this, { items: [item], rows: item.rows }, performance.now(), batch.model), nothing);
    }
  }

  #answerAll({ items, rows, startMs }: BatchRun, { outputs, times, endedMs }: BatchOutcome): void {
    this.#runTimes.learn(rows, times.inferMs);
    this.statistics.run(rows, times, performance.timeOrigin + endedMs);
    for (const [i, item] of items.entries()) {
      const tensors = outputs.map((split) => split[i]!);
      this.#answer(item, tensors, startMs, times);
    }
  }

  #answer(item: InferWork, tensors: readonly Tensor[], startMs: number, times: RunTimes): void {
    if (item.cancelled) {
      this.#drop(item);
      return;
    }
    let body: EncodedBody;
    try {
      body = item.codec.encode(item.decoded, tensors, this.#codecModel);
    } catch (fault) {
      this.#fail(item, SkeinError.from(fault));
      return;
    }
    const totalMs = performance.now() - item.arrivedMs;
    this.#latencyMs += (totalMs - this.#latencyMs) * (this.#latencyMs === 0 ? 1 : latencyWeight);
    this.statistics.success(totalMs, startMs - item.arrivedMs, item.request.batchSize, times);
    this.#inFlight--;
    this.#release(item, () => item.responder.reply(body));
    this.#tellIfIdle();
  }

  #fail(item: InferWork, error: SkeinError): void {
    const cancelled = item.cancelled || error.code === 'cancelled';
    this.#settle(item, cancelled ? 'CANCELED' : error.code === 'run_failed' ? 'BACKEND' : 'OTHER');
    this.#release(item, () => item.responder.fail(error, item.request.id));
  }

  #expire(item: InferWork, why: 'timeout' | 'deadline', nowMs: number): void {
    this.#settle(item, 'REJECTED');
    const error = refusedLate(why, nowMs - item.arrivedMs);
    this.#release(item, () => item.responder.fail(error, item.request.id));
  }

  #onCancel(item: InferWork): void {
    if (this.#batcher.cancel(item)) this.#drop(item);
  }

  /** Its client is gone. */
  #drop(item: InferWork): void {
    this.#settle(item, 'CANCELED');
    this.#release(item, () => item.responder.drop());
  }

  /** Lets an answer out, in the order of the requests where the model asks for that. */
  #release(item: InferWork, send: () => void): void {
    if (this.#order === undefined || item.place === undefined) send();
    else for (const next of this.#order.settle(item.place, send)) next();
  }

  #settle(item: InferWork, reason: 'CANCELED' | 'BACKEND' | 'OTHER' | 'REJECTED'): void {
    this.statistics.failure(performance.now() - item.arrivedMs, reason);
    this.#inFlight--;
    this.#tellIfIdle();
  }

  #tellIfIdle(): void {
    if (this.#inFlight > 0) return;
    this.#whenIdle?.();
    this.#onIdle(this.runs.takeGrowth());
  }
}

const nothing = () => {};
