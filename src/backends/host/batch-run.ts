import type { CopySpec } from '../../protocol/link/messages.ts';
import type { Tensor } from '../../protocol/tensors/tensor.ts';
import type { BatchingOptions } from '../batching/batching-options.ts';
import type { LoadedModel } from '../engines/engine.ts';
import { joinInputs, splitOutput } from './batch-tensors.ts';
import type { RunTimes } from './copy-statistics.ts';
import type { InferWork } from './infer-work.ts';
import { runInSizes } from './run-in-sizes.ts';
import type { ServingParts } from './serving-parts.ts';

/** Requests that share a run. */
export interface BatchRun {
  readonly items: readonly InferWork[];
  readonly rows: number;
  readonly startMs: number;
  /** Asked anew for each part of it: the session of the part before may have been given up meanwhile. */
  readonly model: () => LoadedModel;
  readonly batching: BatchingOptions;
  /** The model's. */
  readonly name: string;
}

export interface BatchOutcome {
  /** Every output, cut into the rows of each request. */
  readonly outputs: readonly (readonly Tensor[])[];
  readonly times: RunTimes;
  readonly endedMs: number;
}

/** `rows` is what the queue counted: one that brings more than are joined runs by itself, and counts less there. */
export function batchOf(
  { parts, spec }: { readonly parts: ServingParts; readonly spec: CopySpec },
  { items, rows }: { readonly items: readonly InferWork[]; readonly rows: number },
  startMs: number,
  model: () => LoadedModel,
): BatchRun {
  const all = items.length === 1 ? items[0]!.request.batchSize : rows;
  return { items, rows: all, startMs, model, batching: parts.batching, name: spec.model };
}

export async function runBatch(batch: BatchRun): Promise<BatchOutcome> {
  const { items, rows, model, name } = batch;
  const { signature, batched } = items[0]!.decoded;
  const inputs = joinInputs(items, rows);
  const wanted = wantedOf(batch);
  const gatheredMs = performance.now();
  const signal = abortWhenUnwanted(items);
  const run = (piece: readonly Tensor[]) => model().run(signature.own.name, piece, wanted, signal);
  const outputs = await runInSizes(inputs, rows, batched ? batch.batching : {}, run, name);
  return outcomeOf(batch, outputs, gatheredMs);
}

/** Here and now: nobody can cancel it, and nothing is told of before it is over. */
export function runBatchHere(batch: BatchRun, runHere: NonNullable<LoadedModel['runHere']>): BatchOutcome {
  const { items, rows } = batch;
  const inputs = joinInputs(items, rows);
  const wanted = wantedOf(batch);
  const gatheredMs = performance.now();
  return outcomeOf(batch, runHere(items[0]!.decoded.signature.own.name, inputs, wanted), gatheredMs);
}

function wantedOf({ items }: BatchRun): string[] {
  return items[0]!.request.outputs.map((output) => output.name);
}

function outcomeOf(
  { items, rows, name, startMs }: BatchRun,
  outputs: readonly Tensor[],
  gatheredMs: number,
): BatchOutcome {
  const ranMs = performance.now();
  const split = outputs.map((output) => splitOutput(output, items, rows, name));
  const times = { inputMs: gatheredMs - startMs, inferMs: ranMs - gatheredMs, outputMs: performance.now() - ranMs };
  return { outputs: split, times, endedMs: ranMs };
}

/** Ends the run only when every request in it is cancelled: one client that leaves must not take the others' answers. */
function abortWhenUnwanted(items: readonly InferWork[]): AbortSignal {
  const controller = new AbortController();
  for (const item of items) {
    item.onCancel = () => {
      if (items.every((other) => other.cancelled)) controller.abort();
    };
  }
  return controller.signal;
}
