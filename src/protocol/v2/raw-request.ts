import { SkeinError } from '../errors.ts';
import { elementBytes } from '../tensors/datatype.ts';
import type { Tensor, TensorSpec } from '../tensors/tensor.ts';
import type { BodyPieces } from './body-pieces.ts';
import { checkInputs } from './check-inputs.ts';
import type { InferRequest, RequestSchema } from './infer-request.ts';
import { noParameters } from './request-parameters.ts';

/** The name that Triton gives the input while it is deduced; its texts show it. */
const rawInputName = 'raw_input';

/**
 * A raw binary request: the body is the bytes of the model's one input and nothing else. One dimension at most may be
 * free, and follows from the number of bytes; a batch is always one row; all outputs are wanted as bytes.
 */
export function decodeRawRequest(body: BodyPieces, schema: RequestSchema): InferRequest {
  const { inputs, outputs } = schema.signature;
  const spec = inputs[0];
  if (spec === undefined || inputs.length !== 1) {
    throw new SkeinError('raw_input_count', { count: inputs.length, model: schema.model });
  }
  const input = spec.datatype === 'BYTES' ? rawString(body, spec) : rawElements(body, spec, schema);
  const renamed = { ...schema, signature: { inputs: [{ ...spec, name: rawInputName }], outputs } };
  checkInputs([{ ...input, name: rawInputName }], renamed);
  return {
    inputs: [input],
    outputs: outputs.map(({ name }) => ({ name, binary: true, classCount: 0 })),
    batchSize: 1,
    parameters: noParameters,
  };
}

/** The body is one string; its length is put before it. */
function rawString(body: BodyPieces, spec: TensorSpec): Tensor {
  const [size] = spec.shape;
  if (spec.shape.length !== 1 || (size !== 1 && size !== -1)) {
    throw new SkeinError('raw_input_bytes', { input: spec.name });
  }
  const prefix = Buffer.allocUnsafe(4);
  prefix.writeUInt32LE(body.byteLength);
  const parts = [prefix, ...body.take(body.byteLength)];
  return { name: spec.name, datatype: spec.datatype, shape: [1], parts, byteLength: body.byteLength + 4 };
}

function rawElements(body: BodyPieces, spec: TensorSpec, schema: RequestSchema): Tensor {
  const { byteLength } = body;
  const shape = schema.maxBatchSize > 0 ? [1, ...spec.shape.slice(1)] : [...spec.shape];
  const free = shape.indexOf(-1);
  if (free >= 0) {
    if (shape.indexOf(-1, free + 1) >= 0) throw new SkeinError('raw_input_shape', { input: spec.name });
    let bytesPerStep: number = elementBytes[spec.datatype];
    for (const size of shape) if (size !== -1) bytesPerStep *= size;
    shape[free] = bytesPerStep === 0 ? 0 : Math.floor(byteLength / bytesPerStep);
  }
  return { name: spec.name, datatype: spec.datatype, shape, parts: body.take(byteLength), byteLength };
}
