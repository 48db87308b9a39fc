import { elementBytes } from '../../../protocol/tensors/datatype.ts';
import { elementCount, type Tensor } from '../../../protocol/tensors/tensor.ts';
import { copyOut } from '../native-memory.ts';
import { datatypeOf, elementTypeOf } from './element-types.ts';
import type { RuntimeEnvironment } from './environment.ts';
import type { Pointer } from './runtime-api.ts';
import { readDimensions } from './session-signature.ts';
import type { StagingBuffers } from './staging-buffers.ts';
import { createStringTensor, readStringTensor } from './string-tensor.ts';

export interface ShapeArgument {
  readonly dimensions: BigInt64Array | null;
  readonly rank: number;
}

/** An OrtValue and what must outlive it. */
export interface InputValue {
  readonly pointer: Pointer;
  /** The bytes that the runtime reads in place, until the value is released. */
  readonly keep: Uint8Array;
  /** To be given back after that; undefined where the bytes are used where they came. */
  readonly staged: ArrayBuffer | undefined;
}

/** Kernels use vector loads; ONNX Runtime's own allocations are aligned to 64 bytes, and what arrives may lie anywhere. */
const alignmentBytes = 8;

/** Wraps a tensor for a run. Its bytes are used in place where they are one aligned piece, else copied together once. */
export function createInput(runtime: RuntimeEnvironment, tensor: Tensor, staging: StagingBuffers): InputValue {
  const { api, cpuMemory } = runtime;
  const shape = shapeArgument(tensor.shape);
  const elementType = elementTypeOf[tensor.datatype];
  const { bytes, staged } = contiguous(tensor, staging);
  if (tensor.datatype === 'BYTES') {
    const encoded = Buffer.from(bytes.buffer, bytes.byteOffset, tensor.byteLength);
    return {
      pointer: createStringTensor(runtime, encoded, shape, elementCount(tensor.shape), elementType),
      keep: bytes,
      staged,
    };
  }
  const pointer = api.create(
    'CreateTensorWithDataAsOrtValue',
    cpuMemory,
    bytes,
    tensor.byteLength,
    shape.dimensions,
    shape.rank,
    elementType,
  );
  return { pointer, keep: bytes, staged };
}

/** Copies an output out of the runtime: the caller releases the value and may keep the tensor for as long as it likes. */
export function readOutput(runtime: RuntimeEnvironment, name: string, value: Pointer): Tensor {
  const { api } = runtime;
  if (api.number('IsTensor', value) === 0)
    throw new Error(`output '${name}' came out of the run as something that is no tensor`);
  const info = api.create('GetTensorTypeAndShape', value);
  const datatype = datatypeOf(api.number('GetTensorElementType', info));
  const shape = readDimensions(runtime, info);
  api.release('ReleaseTensorTypeAndShapeInfo', info);
  if (datatype === undefined) throw new Error(`output '${name}' came out of the run in a type that V2 does not have`);
  const elements = elementCount(shape);
  const bytes =
    datatype === 'BYTES'
      ? readStringTensor(runtime, value, elements)
      : copyOut(api.create('GetTensorMutableData', value), elements * elementBytes[datatype]);
  return { name, datatype, shape, parts: [bytes], byteLength: bytes.byteLength };
}

function shapeArgument(shape: readonly number[]): ShapeArgument {
  return { dimensions: shape.length === 0 ? null : BigInt64Array.from(shape, BigInt), rank: shape.length };
}

/** Never empty and never on the JavaScript heap, so that its address is real and stays. */
function contiguous(tensor: Tensor, staging: StagingBuffers): { bytes: Uint8Array; staged: ArrayBuffer | undefined } {
  const only = tensor.parts.length === 1 ? tensor.parts[0]! : undefined;
  if (only !== undefined && only.byteLength > 64 && only.byteOffset % alignmentBytes === 0) {
    return { bytes: only, staged: undefined };
  }
  const staged = staging.take(tensor.byteLength);
  const bytes = new Uint8Array(staged);
  let offset = 0;
  for (const part of tensor.parts) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return { bytes, staged };
}
