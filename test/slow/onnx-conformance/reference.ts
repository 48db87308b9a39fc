/** What ONNX Runtime itself makes of a case, through its own binding for Node. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { type Datatype, elementBytes } from '../../../src/protocol/tensors/datatype.ts';
import type { WireTensor } from '../../fixtures/v2-client.ts';
import { difference } from './close-enough.ts';
import type { ConformanceCase } from './conformance-case.ts';

export type Verdict =
  | { readonly kind: 'passes' }
  | { readonly kind: 'differs'; readonly why: string }
  /** An input or output is a sequence, a map, an optional. */
  | { readonly kind: 'no tensors'; readonly why: string }
  | { readonly kind: 'cannot load'; readonly why: string }
  | { readonly kind: 'cannot run'; readonly why: string };

export async function referenceVerdict({ modelFile, data }: ConformanceCase): Promise<Verdict> {
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(modelFile, { logSeverityLevel: 4, intraOpNumThreads: 1 });
  } catch (fault) {
    return { kind: 'cannot load', why: messageOf(fault) };
  }
  try {
    const odd = [...session.inputMetadata, ...session.outputMetadata].find((value) => !value.isTensor);
    if (odd !== undefined || data === undefined) return { kind: 'no tensors', why: odd?.name ?? 'its test data' };
    const feeds = data.inputs.map((input, i) => [nameOf(input, session.inputNames, i), toTensor(input)]);
    const results = await session.run(Object.fromEntries(feeds), { logSeverityLevel: 4 });
    const why = data.outputs
      .map((wanted, i) => {
        const name = nameOf(wanted, session.outputNames, i);
        return difference(fromTensor(name, results[name]), { ...wanted, name });
      })
      .find((found) => found !== undefined);
    return why === undefined ? { kind: 'passes' } : { kind: 'differs', why };
  } catch (fault) {
    return { kind: 'cannot run', why: messageOf(fault) };
  } finally {
    await session.release();
  }
}

/** Test data name their tensors only sometimes, and not always as the model does; their order is the model's. */
export function nameOf(tensor: WireTensor, declared: readonly string[], place: number): string {
  return declared.includes(tensor.name) ? tensor.name : (declared[place] ?? tensor.name);
}

const elementKinds = {
  FP32: ['float32', Float32Array],
  FP64: ['float64', Float64Array],
  INT8: ['int8', Int8Array],
  INT16: ['int16', Int16Array],
  INT32: ['int32', Int32Array],
  INT64: ['int64', BigInt64Array],
  UINT8: ['uint8', Uint8Array],
  UINT16: ['uint16', Uint16Array],
  UINT32: ['uint32', Uint32Array],
  UINT64: ['uint64', BigUint64Array],
  BOOL: ['bool', Uint8Array],
  FP16: ['float16', Uint16Array],
} as const;

function toTensor({ datatype, shape, bytes }: WireTensor): Tensor {
  if (datatype === 'BYTES') return new Tensor('string', stringsOf(bytes), shape);
  if (datatype === 'BF16') throw new TypeError('the binding for Node knows no bfloat16');
  const [type, array] = elementKinds[datatype];
  const own = new Uint8Array(bytes).buffer; // a copy: aligned to any element
  const values = new array(own, 0, bytes.byteLength / elementBytes[datatype]);
  // The binding refuses its own float16 tensors since Node has a Float16Array, but takes an object of their shape.
  if (type === 'float16') return { type, data: values, dims: shape, location: 'cpu' } as unknown as Tensor;
  return new Tensor(type, values as never, shape);
}

function fromTensor(name: string, tensor: Tensor | undefined): WireTensor | undefined {
  if (tensor === undefined) return undefined;
  const shape = [...tensor.dims];
  if (tensor.type === 'string') return { name, datatype: 'BYTES', shape, bytes: bytesOf(tensor.data as string[]) };
  const datatype = Object.entries(elementKinds).find(([, [type]]) => type === tensor.type)?.[0] as Datatype;
  const data = tensor.data as Uint8Array;
  return { name, datatype, shape, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

function stringsOf(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes);
  const strings: string[] = [];
  for (let at = 0; at < buffer.length; ) {
    const end = at + 4 + buffer.readUInt32LE(at);
    strings.push(buffer.toString('utf8', at + 4, end));
    at = end;
  }
  return strings;
}

function bytesOf(strings: readonly string[]): Uint8Array {
  const pieces = strings.flatMap((text) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(Buffer.byteLength(text));
    return [length, Buffer.from(text)];
  });
  return Buffer.concat(pieces);
}

function messageOf(fault: unknown): string {
  return (fault instanceof Error ? fault.message : String(fault)).replace(/\s+/g, ' ').trim();
}
