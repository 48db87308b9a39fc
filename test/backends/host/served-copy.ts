/** A copy of a fake model, and requests to it as a router sends them. */
import type { BatchingOptions } from '../../../src/backends/batching/batching-options.ts';
import type { RunLayout } from '../../../src/backends/batching/run-setting.ts';
import type { BodyFacts } from '../../../src/backends/host/body-codec.ts';
import { Copy } from '../../../src/backends/host/copy.ts';
import { CopyStatistics } from '../../../src/backends/host/copy-statistics.ts';
import { CoreShare } from '../../../src/backends/host/core-share.ts';
import type { Cancellable } from '../../../src/backends/host/infer-work.ts';
import { calledSignature, type ServedSignature } from '../../../src/backends/host/served-signature.ts';
import type { ServingParts } from '../../../src/backends/host/serving-parts.ts';
import type { SkeinError } from '../../../src/protocol/errors.ts';
import { BodyKind } from '../../../src/protocol/link/infer-head.ts';
import type { CopySpec } from '../../../src/protocol/link/messages.ts';
import { defaultSignature } from '../../../src/protocol/tensors/named-signature.ts';
import { plainBatching } from '../batching/plain-batching.ts';
import type { FakeModel } from './fake-model.ts';

const spec: CopySpec = { model: 'm', version: 1, directory: '', stamp: 's', pinned: false, wanted: true };

export interface ServedCopy {
  readonly copy: Copy;
  readonly statistics: CopyStatistics;
  /** Times that it told that nothing is in it. */
  readonly idles: () => number;
}

export interface CopySettings {
  readonly maxBatchSize?: number;
  readonly batching?: Partial<BatchingOptions>;
  readonly slots?: number;
  readonly slotsAreGiven?: boolean;
  readonly layouts?: readonly RunLayout[];
  readonly cores?: CoreShare;
}

export function serve(model: FakeModel, settings: CopySettings = {}): ServedCopy {
  const { maxBatchSize = 8, slots = 1, slotsAreGiven = false, cores = new CoreShare(8) } = settings;
  const { layouts = [{ threads: 1, slots }] } = settings;
  const statistics = new CopyStatistics('m', 1);
  const signatures = new Map<string, ServedSignature>(
    [...model.signatures].map(([name, own]) => [
      name,
      { own, called: calledSignature(own), schema: { maxBatchSize, signature: own } },
    ]),
  );
  const signature = signatures.get(defaultSignature(model.signatures).name)!;
  const parts: ServingParts = {
    model,
    signature,
    signatures,
    description: { platform: 'fake', signature: signature.own, maxBatchSize, config: {} },
    batching: { ...plainBatching(Math.max(1, maxBatchSize), 1_000), ...settings.batching },
    rowsAreGiven: false,
    layouts,
    slotsAreGiven,
    labels: new Map(),
  };
  let idles = 0;
  const copy = new Copy(1, spec, parts, {
    statistics,
    cores,
    takeRoom: () => true,
    runLimitBytes: Infinity,
    onIdle: () => {
      idles += 1;
    },
  });
  return { copy, statistics, idles: () => idles };
}

/** All of it is JSON. */
export const jsonBody: BodyFacts = { kind: BodyKind.v2, headerLength: undefined, signature: '' };

export type Outcome =
  | { readonly kind: 'answer'; readonly id: string | undefined; readonly x: number[]; readonly names: string[] }
  | { readonly kind: 'error'; readonly error: SkeinError; readonly id: string | undefined };

export interface SentRequest {
  readonly work: Cancellable | undefined;
  /** Undefined while there is none; a second one is thrown. */
  readonly outcome: () => Outcome | undefined;
}

interface RequestFacts {
  readonly id?: string;
  /** One pair of numbers a row. */
  readonly x: readonly number[];
  readonly names: readonly string[];
  readonly outputs?: readonly string[];
  readonly timeoutMs?: number;
  readonly parameters?: Readonly<Record<string, number | string>>;
  readonly onOutcome?: () => void;
}

export function send(
  copy: Copy,
  { id, x, names, outputs, timeoutMs = 0, parameters, onOutcome }: RequestFacts,
): SentRequest {
  const rows = names.length;
  const body = Buffer.from(
    JSON.stringify({
      ...(id === undefined ? {} : { id }),
      ...(parameters === undefined ? {} : { parameters }),
      inputs: [
        { name: 'x', datatype: 'FP32', shape: [rows, 2], data: x },
        { name: 'name', datatype: 'BYTES', shape: [rows, 1], data: names },
      ],
      ...(outputs === undefined ? {} : { outputs: outputs.map((name) => ({ name })) }),
    }),
  );
  let outcome: Outcome | undefined;
  const settle = (found: Outcome) => {
    if (outcome !== undefined) throw new Error(`request ${id} was answered twice`);
    outcome = found;
    onOutcome?.();
  };
  const work = copy.infer([body], jsonBody, timeoutMs, {
    reply: ({ parts }) => settle(readAnswer(Buffer.concat(parts))),
    fail: (error, requestId) => settle({ kind: 'error', error, id: requestId }),
    drop: () => {},
  });
  return { work, outcome: () => outcome };
}

function readAnswer(body: Buffer): Outcome {
  const { id, outputs } = JSON.parse(body.toString()) as { id?: string; outputs: { name: string; data: unknown[] }[] };
  const dataOf = (name: string) => outputs.find((output) => output.name === name)?.data ?? [];
  return { kind: 'answer', id, x: dataOf('y') as number[], names: dataOf('label') as string[] };
}

/** Lets the event loop come round: requests of one turn are queued together. */
export async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
