import { WireReader } from '../protobuf/wire-reader.ts';
import { WireWriter } from '../protobuf/wire-writer.ts';
import type { EncodedBody } from '../v2/infer-reply.ts';
import { type ExamplesInput, readExamplesInput } from './examples-input.ts';
import { type AnsweredBy, type ModelSpec, readModelSpec, writeModelSpec } from './model-spec.ts';
import { encoded } from './predict.ts';
import type { Classifications, Regressions } from './results.ts';

/** ClassificationRequest and RegressionRequest, which are alike. */
interface ExamplesRequest {
  readonly signatureName: string;
  readonly examples: ExamplesInput;
}

const noSpec: ModelSpec = { name: '', version: undefined, versionLabel: undefined, signatureName: '' };

export function decodeExamplesRequest(body: readonly Uint8Array[]): ExamplesRequest {
  const reader = new WireReader(body);
  let signatureName = '';
  let examples: ExamplesInput | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) signatureName = reader.message(readModelSpec).signatureName;
    else if (field === 2) examples = reader.message(readExamplesInput);
    else reader.skip();
  }
  return { signatureName, examples: examples ?? readExamplesInput(new WireReader([])) };
}

export interface InferenceTask {
  readonly spec: ModelSpec;
  readonly methodName: string;
}

interface MultiInferenceRequest {
  readonly tasks: readonly InferenceTask[];
  readonly examples: ExamplesInput;
}

export function decodeMultiInferenceRequest(body: readonly Uint8Array[]): MultiInferenceRequest {
  const reader = new WireReader(body);
  const tasks: InferenceTask[] = [];
  let examples: ExamplesInput | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) tasks.push(reader.message(readTask));
    else if (field === 2) examples = reader.message(readExamplesInput);
    else reader.skip();
  }
  return { tasks, examples: examples ?? readExamplesInput(new WireReader([])) };
}

function readTask(reader: WireReader): InferenceTask {
  let spec = noSpec;
  let methodName = '';
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) spec = reader.message(readModelSpec);
    else if (field === 2) methodName = reader.string();
    else reader.skip();
  }
  return { spec, methodName };
}

export type InferenceResult =
  | { readonly kind: 'classify'; readonly classifications: Classifications }
  | { readonly kind: 'regress'; readonly regressions: Regressions };

/** ClassificationResponse or RegressionResponse. */
export function encodeResultResponse(result: InferenceResult, by: AnsweredBy): EncodedBody {
  const writer = new WireWriter();
  writer.message(1, (inner) => writeResult(inner, result));
  writer.message(2, (inner) => writeModelSpec(inner, by));
  return encoded(writer);
}

interface TaskAnswer {
  readonly result: InferenceResult;
  readonly by: AnsweredBy;
}

export function encodeMultiInferenceResponse(answers: readonly TaskAnswer[]): EncodedBody {
  const writer = new WireWriter();
  for (const { result, by } of answers) {
    writer.message(1, (inner) => {
      inner.message(1, (spec) => writeModelSpec(spec, by));
      inner.message(result.kind === 'classify' ? 2 : 3, (one) => writeResult(one, result));
    });
  }
  return encoded(writer);
}

/** ClassificationResult or RegressionResult. Values of 0 and empty labels are left out, as protobuf has it. */
function writeResult(writer: WireWriter, result: InferenceResult): void {
  if (result.kind === 'regress') {
    for (const value of result.regressions) {
      writer.message(1, (one) => {
        if (!Object.is(value, 0)) one.float(1, value);
      });
    }
    return;
  }
  for (const classes of result.classifications) {
    writer.message(1, (one) => {
      for (const { label, score } of classes) {
        one.message(1, (pair) => {
          if (label !== '') pair.string(1, label);
          if (!Object.is(score, 0)) pair.float(2, score);
        });
      }
    });
  }
}
