import { elementBytes } from '../../../protocol/tensors/datatype.ts';
import { elementCount, type Tensor } from '../../../protocol/tensors/tensor.ts';
import { copyIn, copyOut } from '../native-memory.ts';
import { dataTypeOf, datatypeOf } from './data-types.ts';
import { readStrings, stringTensorProto } from './string-tensor.ts';
import type { Pointer, TensorflowApi } from './tensorflow-api.ts';

/**
 * Makes a TF_Tensor of its own memory, into which the pieces are copied once: operations may keep an input for as long as
 * they like, and memory that they share must not be ours. The caller deletes it.
 */
export function createInput(api: TensorflowApi, tensor: Tensor): Pointer {
  if (tensor.datatype === 'BYTES') return createStrings(api, tensor);
  const expected = elementCount(tensor.shape) * elementBytes[tensor.datatype];
  if (tensor.byteLength !== expected || tensor.shape.some((size) => size < 0)) {
    const shape = `[${tensor.shape.join(',')}]`;
    throw new Error(`input '${tensor.name}' has ${tensor.byteLength} bytes, and its shape ${shape} takes ${expected}`);
  }
  checkSizes(tensor);
  const dimensions = tensor.shape.length === 0 ? null : BigInt64Array.from(tensor.shape, BigInt);
  const type = dataTypeOf[tensor.datatype];
  const value = api.pointer('TF_AllocateTensor', type, dimensions, tensor.shape.length, tensor.byteLength);
  if (tensor.byteLength > 0) copyIn(api.pointer('TF_TensorData', value), tensor.parts);
  return value;
}

/** Copies an output out of the runtime: the caller deletes the value and may keep the tensor for as long as it likes. */
export function readOutput(api: TensorflowApi, name: string, value: Pointer): Tensor {
  const datatype = datatypeOf(api.number('TF_TensorType', value));
  if (datatype === undefined) throw new Error(`output '${name}' came out of the run in a type that V2 does not have`);
  const rank = api.number('TF_NumDims', value);
  const shape = Array.from({ length: rank }, (_, i) => api.number('TF_Dim', value, i));
  const byteLength = api.number('TF_TensorByteSize', value);
  const data = byteLength === 0 ? undefined : api.pointer('TF_TensorData', value);
  let bytes: Buffer;
  if (data === undefined) bytes = Buffer.alloc(0);
  else if (datatype === 'BYTES') bytes = readStrings(data, elementCount(shape));
  else bytes = copyOut(data, byteLength);
  return { name, datatype, shape, parts: [bytes], byteLength: bytes.byteLength };
}

const mostDimensions = 254;

/** TensorFlow ends the process for what it cannot multiply, where a size of 0 says that there is nothing, too. */
function checkSizes({ name, shape }: Tensor): void {
  const product = shape.reduce((elements, size) => elements * Math.max(1, size), 1);
  if (shape.length <= mostDimensions && product <= Number.MAX_SAFE_INTEGER) return;
  throw new Error(`input '${name}' has a shape that TensorFlow does not take: [${shape.slice(0, 16).join(',')}]`);
}

function createStrings(api: TensorflowApi, tensor: Tensor): Pointer {
  const proto = stringTensorProto(tensor);
  const buffer = api.pointer('TF_NewBufferFromString', proto, proto.length);
  // Any tensor will do: it becomes another.
  const value = api.pointer('TF_AllocateTensor', dataTypeOf.UINT8, null, 0, 1);
  try {
    api.try('TF_TensorFromProto', buffer, value);
    return value;
  } catch (fault) {
    api.call('TF_DeleteTensor', value);
    throw fault;
  } finally {
    api.call('TF_DeleteBuffer', buffer);
  }
}
