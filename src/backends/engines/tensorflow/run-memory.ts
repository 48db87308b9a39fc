import koffi from 'koffi';
import { elementBytes } from '../../../protocol/tensors/datatype.ts';
import { defaultSignature } from '../../../protocol/tensors/named-signature.ts';
import { elementCount, type Signature, type Tensor } from '../../../protocol/tensors/tensor.ts';
import { eachField, MessageCursor } from './message-cursor.ts';
import type { Pointer, TensorflowApi } from './tensorflow-api.ts';
import type { TensorflowModel } from './tensorflow-model.ts';

interface RunMemory {
  readonly fixedBytes: number;
  readonly rowBytes: number;
}

/** Trial runs larger than this are not made: measuring must not cost more than the model. */
const maxTrialBytes = 16 * 1024 * 1024;

/**
 * Runs the default signature on zeros, at one row and at two, traced, and fits a line through the peaks. It is also the
 * first run, in which TensorFlow optimises the graph: no client waits for that. Undefined where shapes beside the batch are
 * free, or the model refuses zeros.
 */
export async function measureRunMemory(
  api: TensorflowApi,
  model: TensorflowModel,
  tracedOptions: Pointer,
): Promise<RunMemory | undefined> {
  const signature = defaultSignature(model.signatures);
  if (!isMeasurable(signature)) return undefined;
  const wanted = signature.outputs.map((output) => output.name);
  const peakOf = async (rows: number) => {
    const metadata = api.pointer('TF_NewBuffer');
    try {
      await model.runWith(tracedOptions, metadata, signature.name, zeros(signature, rows), wanted);
      return peakOfTrace(bufferBytes(metadata));
    } finally {
      api.call('TF_DeleteBuffer', metadata);
    }
  };
  try {
    const one = await peakOf(1);
    const isOfAnyRows = signature.inputs.some(({ shape }) => shape[0] === -1);
    const rowBytes = isOfAnyRows ? Math.max(0, (await peakOf(2)) - one) : 0;
    return { fixedBytes: Math.max(0, one - rowBytes), rowBytes };
  } catch {
    return undefined; // zeros are not a legal input of this model: nothing is known, nothing is wrong
  }
}

/** RunMetadata: the most that was allocated at one time, by the times and sizes of all allocations. */
function peakOfTrace(bytes: Buffer): number {
  const records: { readonly atMicros: number; readonly bytes: number }[] = [];
  const read = (path: readonly number[], cursor: MessageCursor): void => {
    const [field, ...rest] = path;
    eachField(cursor, (part) => {
      if (part.field !== field) return;
      if (rest.length > 0) read(rest, part.message());
      else records.push(readRecord(part.message()));
    });
  };
  // step_stats, dev_stats, node_stats, memory, allocation_records
  read([1, 1, 2, 6, 6], new MessageCursor(bytes));
  records.sort((a, b) => a.atMicros - b.atMicros || b.bytes - a.bytes);
  let held = 0;
  let peak = 0;
  for (const record of records) {
    held += record.bytes;
    peak = Math.max(peak, held);
  }
  return peak;
}

function readRecord(record: MessageCursor): { atMicros: number; bytes: number } {
  let atMicros = 0;
  let bytes = 0;
  eachField(record, (part) => {
    if (part.field === 1) atMicros = part.value;
    else if (part.field === 2) bytes = part.value;
  });
  return { atMicros, bytes };
}

/** A TF_Buffer begins with where its bytes are and how many. */
function bufferBytes(buffer: Pointer): Buffer {
  const data = koffi.decode(buffer, 'void*') as Pointer | null;
  const length = Number(koffi.decode(buffer, 8, 'size_t'));
  return data === null || length === 0 ? Buffer.alloc(0) : Buffer.from(new Uint8Array(koffi.view(data, length)));
}

function isMeasurable({ inputs }: Signature): boolean {
  let bytes = 0;
  for (const { datatype, shape, anyRank } of inputs) {
    if (datatype === 'BYTES' || anyRank === true || shape.slice(1).some((size) => size < 0)) return false;
    bytes += elementCount(withRows(shape, 2)) * elementBytes[datatype];
  }
  return bytes > 0 && bytes <= 2 * maxTrialBytes;
}

function zeros({ inputs }: Signature, rows: number): Tensor[] {
  return inputs.map(({ name, datatype, shape }) => {
    const full = withRows(shape, rows);
    const byteLength = elementCount(full) * elementBytes[datatype];
    return { name, datatype, shape: full, parts: [new Uint8Array(byteLength)], byteLength };
  });
}

/** Only the first dimension may be free. */
function withRows(shape: readonly number[], rows: number): number[] {
  return shape.map((size) => (size < 0 ? rows : size));
}
