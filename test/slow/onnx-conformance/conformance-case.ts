import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WireTensor } from '../../fixtures/v2-client.ts';
import { readTensorProto } from './tensor-proto.ts';

const suites = ['node', 'pytorch-converted', 'pytorch-operator', 'simple'] as const;

/** One model with the first of its test data sets. */
export interface ConformanceCase {
  readonly suite: (typeof suites)[number];
  /** Also the model's name in the repository. */
  readonly name: string;
  readonly modelFile: string;
  /** Undefined where the data are no tensors. */
  readonly data: { readonly inputs: readonly WireTensor[]; readonly outputs: readonly WireTensor[] } | undefined;
}

export function conformanceCases(directory: string): ConformanceCase[] {
  return suites.flatMap((suite) =>
    readdirSync(join(directory, suite))
      .filter((name) => existsSync(join(directory, suite, name, 'model.onnx')))
      .sort()
      .map((name) => readCase(join(directory, suite, name), suite, name)),
  );
}

function readCase(folder: string, suite: ConformanceCase['suite'], name: string): ConformanceCase {
  return { suite, name, modelFile: join(folder, 'model.onnx'), data: readData(join(folder, 'test_data_set_0')) };
}

function readData(folder: string): ConformanceCase['data'] {
  try {
    return { inputs: readNumbered(folder, 'input'), outputs: readNumbered(folder, 'output') };
  } catch (fault) {
    // A sequence or an optional reads as a tensor without a known type; anything else is a defect of this reader.
    if (fault instanceof TypeError || fault instanceof RangeError) return undefined;
    throw fault;
  }
}

/** input_0.pb, input_1.pb, … in the order of their numbers. */
function readNumbered(folder: string, kind: 'input' | 'output'): WireTensor[] {
  const count = readdirSync(folder).filter((file) => file.startsWith(`${kind}_`)).length;
  return Array.from({ length: count }, (_, i) => readTensorProto(readFileSync(join(folder, `${kind}_${i}.pb`))));
}
