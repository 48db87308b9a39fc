import { parentPort } from 'node:worker_threads';
import { type AheadText, readAhead } from '../../protocol/v2/read-ahead.ts';

/** The thread of json-reader.ts: texts in, in turn, and what was read of each out. `undefined`: the text is no JSON. */
parentPort!.on('message', (text: Uint8Array) => {
  let ahead: AheadText | undefined;
  try {
    ahead = readAhead(Buffer.from(text.buffer, text.byteOffset, text.byteLength));
  } catch {
    ahead = undefined;
  }
  const buffers = ahead?.arrays.flatMap(({ read }) => (read instanceof Uint8Array ? [read.buffer as ArrayBuffer] : []));
  parentPort!.postMessage(ahead, [...new Set(buffers)]);
});
