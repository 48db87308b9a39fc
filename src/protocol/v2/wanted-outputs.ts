import { SkeinError } from '../errors.ts';
import { wrongKind } from '../json/data-faults.ts';
import type { JsonValue } from '../json/json-value.ts';
import type { TensorSpec } from '../tensors/tensor.ts';
import { nameList } from './check-inputs.ts';
import { canBeClassified } from './classification.ts';
import { excerpt } from './excerpt.ts';
import type { RequestSchema, WantedOutput } from './infer-request.ts';
import { readText } from './input-tensor.ts';
import { readBoolean, readUnsigned } from './request-parameters.ts';

/** As many as Triton sorts for one output. */
const mostClasses = 1_000_000;

/**
 * What a request wants to have back, in the model's order. What cannot be given is refused here, before the model runs.
 * `binaryOutput` is the form of all outputs when none is named; a named output says its own.
 */
export function readWantedOutputs(
  value: JsonValue | undefined,
  binaryOutput: boolean,
  schema: RequestSchema,
  requestId: string | undefined,
): WantedOutput[] {
  if (value !== undefined && !Array.isArray(value)) throw wrongKind("'outputs'", 'array');
  const specs = schema.signature.outputs;
  if (value === undefined || value.length === 0) {
    return specs.map((spec) => checkForm(spec, { name: spec.name, binary: binaryOutput, classCount: 0 }));
  }
  const wanted = new Map<string, WantedOutput>();
  for (const document of value) {
    const output = readOutput(document);
    if (wanted.has(output.name)) {
      const id = requestId === undefined ? {} : { requestId };
      throw new SkeinError('output_twice', { output: excerpt(output.name), ...id });
    }
    wanted.set(output.name, output);
  }
  const ordered: WantedOutput[] = [];
  for (const spec of specs) {
    const output = wanted.get(spec.name);
    if (output === undefined) continue;
    wanted.delete(spec.name);
    ordered.push(checkForm(spec, output));
  }
  for (const name of wanted.keys()) {
    const declared = nameList(specs.map((spec) => spec.name));
    throw new SkeinError('output_unknown', { output: excerpt(name), model: schema.model, declared });
  }
  return ordered;
}

function readOutput(document: JsonValue): WantedOutput {
  const name = readText(document instanceof Map ? document.get('name') : undefined, 'name');
  const parameters = document instanceof Map ? document.get('parameters') : undefined;
  if (!(parameters instanceof Map)) return { name, binary: false, classCount: 0 };
  if (parameters.has('shared_memory_region')) throw new SkeinError('shared_memory_disabled');
  const classes = parameters.get('classification');
  const binary = parameters.get('binary_data');
  const classCount = classes === undefined ? 0 : readUnsigned('classification', classes);
  if (classCount > mostClasses) {
    throw new SkeinError('class_count', { output: excerpt(name), count: classCount, limit: mostClasses });
  }
  return { name, binary: binary === undefined ? false : readBoolean('binary_data', binary), classCount };
}

function checkForm(spec: TensorSpec, output: WantedOutput): WantedOutput {
  const { datatype } = spec;
  if (output.classCount > 0) {
    if (!canBeClassified(datatype)) throw new SkeinError('class_datatype', { datatype });
  } else if (!output.binary && (datatype === 'FP16' || datatype === 'BF16')) {
    throw new SkeinError('half_float_json_out', { datatype });
  }
  return output;
}
