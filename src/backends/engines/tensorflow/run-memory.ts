import koffi from 'koffi';
import { measureRunMemory, type RunMemory } from '../run-memory.ts';
import { eachField, MessageCursor } from './message-cursor.ts';
import type { Pointer, TensorflowApi } from './tensorflow-api.ts';
import type { TensorflowModel } from './tensorflow-model.ts';

/** Peaks of traced runs. The first of them is the one in which TensorFlow optimises the graph: no client waits for that. */
export function measureTraced(
  api: TensorflowApi,
  model: TensorflowModel,
  tracedOptions: Pointer,
): Promise<RunMemory | undefined> {
  return measureRunMemory(model.signatures, async ({ name, outputs }, inputs) => {
    const wanted = outputs.map((output) => output.name);
    const metadata = api.pointer('TF_NewBuffer');
    try {
      await model.runWith(tracedOptions, metadata, name, inputs, wanted);
      return peakOfTrace(bufferBytes(metadata));
    } finally {
      api.call('TF_DeleteBuffer', metadata);
    }
  });
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
