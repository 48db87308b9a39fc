import { SkeinError } from '../../protocol/errors.ts';
import type { CopyDescription } from '../../protocol/link/messages.ts';
import { isDatatype } from '../../protocol/tensors/datatype.ts';
import type { TensorSpec } from '../../protocol/tensors/tensor.ts';

/**
 * What a client may be told of a model, from the bodies of GET /v2/models/{model} and, where the server has it, …/config.
 * `config` is passed on as it is; null stands for a server without one. Throws reply_malformed.
 */
export function readDescription(backend: string, metadata: unknown, config: unknown): CopyDescription {
  const given = object(metadata);
  if (given === undefined) throw malformed(backend, 'its model metadata is not an object');
  const settings = object(config);
  const optional = new Set(
    list(settings?.['input']).flatMap((input) =>
      object(input)?.['optional'] === true ? [object(input)?.['name']] : [],
    ),
  );
  const maxBatchSize = settings?.['max_batch_size'];
  return {
    platform: typeof given['platform'] === 'string' ? given['platform'] : '',
    signature: {
      inputs: list(given['inputs']).map((tensor) => {
        const spec = readTensor(backend, tensor);
        return optional.has(spec.name) ? { ...spec, optional: true } : spec;
      }),
      outputs: list(given['outputs']).map((tensor) => readTensor(backend, tensor)),
    },
    maxBatchSize: typeof maxBatchSize === 'number' ? maxBatchSize : 0,
    config: config ?? null,
  };
}

function readTensor(backend: string, tensor: unknown): TensorSpec {
  const { name, datatype, shape } = object(tensor) ?? {};
  if (typeof name !== 'string') throw malformed(backend, 'a tensor in its model metadata has no name');
  if (!isDatatype(datatype))
    throw malformed(backend, `its tensor '${name}' has the datatype ${JSON.stringify(datatype)}`);
  const dimensions = list(shape);
  if (!dimensions.every((dimension) => typeof dimension === 'number')) {
    throw malformed(backend, `its tensor '${name}' has the shape ${JSON.stringify(shape)}`);
  }
  return { name, datatype, shape: dimensions };
}

function object(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function malformed(backend: string, reason: string): SkeinError {
  return new SkeinError('reply_malformed', { backend, reason });
}
