import koffi from 'koffi';
import { SkeinError } from '../../../protocol/errors.ts';
import type { Signature, TensorSpec } from '../../../protocol/tensors/tensor.ts';
import { datatypeOf } from './element-types.ts';
import type { RuntimeEnvironment } from './environment.ts';
import type { FunctionName, Pointer } from './runtime-api.ts';

/** ONNXType of onnxruntime_c_api.h. */
const onnxTypes = ['of no type', 'a tensor', 'a sequence', 'a map', 'opaque', 'a sparse tensor', 'an optional'];
const tensorType = 1;

/**
 * Names, datatypes and shapes of a session's inputs and outputs. Throws `io_unsupported` where one is no tensor or of a
 * type that V2 has no name for: a client could neither send nor read it.
 */
export function readSignature(runtime: RuntimeEnvironment, session: Pointer, model: string): Signature {
  return {
    inputs: readSide(runtime, session, model, 'input'),
    outputs: readSide(runtime, session, model, 'output'),
  };
}

const functionsOf = {
  input: ['SessionGetInputCount', 'SessionGetInputName', 'SessionGetInputTypeInfo'],
  output: ['SessionGetOutputCount', 'SessionGetOutputName', 'SessionGetOutputTypeInfo'],
} as const satisfies Record<string, readonly FunctionName[]>;

function readSide(
  runtime: RuntimeEnvironment,
  session: Pointer,
  model: string,
  side: 'input' | 'output',
): TensorSpec[] {
  const { api } = runtime;
  const [countOf, nameOf, typeOf] = functionsOf[side];
  const count = api.number(countOf, session);
  return Array.from({ length: count }, (_, index) => {
    const text = api.create(nameOf, session, index, runtime.allocator);
    const name = koffi.decode(text, 'char', -1) as string;
    api.call('AllocatorFree', runtime.allocator, text);
    const info = api.create(typeOf, session, index);
    try {
      return { name, ...readTensorType(runtime, info, { model, side, name }) };
    } finally {
      api.release('ReleaseTypeInfo', info);
    }
  });
}

function readTensorType(
  { api }: RuntimeEnvironment,
  info: Pointer,
  who: { model: string; side: string; name: string },
): Pick<TensorSpec, 'datatype' | 'shape'> {
  const onnxType = api.number('GetOnnxTypeFromTypeInfo', info);
  if (onnxType !== tensorType)
    throw new SkeinError('io_unsupported', { ...who, type: onnxTypes[onnxType] ?? 'of a foreign type' });
  const tensorInfo = api.create('CastTypeInfoToTensorInfo', info); // owned by `info`
  const elementType = api.number('GetTensorElementType', tensorInfo);
  const datatype = datatypeOf(elementType);
  if (datatype === undefined)
    throw new SkeinError('io_unsupported', { ...who, type: `a tensor of ONNX element type ${elementType}` });
  return { datatype, shape: readDimensions({ api }, tensorInfo) };
}

/** Dimensions of an OrtTensorTypeAndShapeInfo; a symbolic one is -1. */
export function readDimensions({ api }: Pick<RuntimeEnvironment, 'api'>, tensorInfo: Pointer): number[] {
  const rank = api.number('GetDimensionsCount', tensorInfo);
  if (rank === 0) return [];
  const dimensions = new BigInt64Array(rank);
  api.call('GetDimensions', tensorInfo, dimensions, rank);
  return Array.from(dimensions, Number);
}
