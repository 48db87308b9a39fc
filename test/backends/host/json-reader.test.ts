import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonReader } from '../../../src/backends/host/json-reader.ts';

const values = Array.from({ length: 60_000 }, (_, i) => i / 3);
const text = JSON.stringify({ inputs: [{ name: 'A', datatype: 'FP64', shape: [60_000], data: values }] });

test('JsonReader reads on another thread, in turn, and gives the pieces back as they were', async () => {
  const reader = new JsonReader();
  const bytes = Buffer.from(text);
  const pieces = [bytes.subarray(0, 1_000), bytes.subarray(1_000)];
  const [first, none, second] = await Promise.all([
    reader.read(pieces),
    reader.read([Buffer.from('{"inputs":[')]),
    reader.read(pieces),
  ]);
  assert.equal(none, undefined);
  assert.deepEqual(first, second);
  const read = first!.arrays[0]!.read as Uint8Array;
  assert.deepEqual([...new Float64Array(read.buffer, read.byteOffset, values.length)], values);
  assert.equal(bytes.toString(), text);
});

test('JsonReader lets the event loop go on meanwhile', async () => {
  const reader = new JsonReader();
  const many = Array.from({ length: 10 }, () => reader.read([Buffer.from(text)]));
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await Promise.all(many);
  isOver = true;
  assert.ok(turns > 100, `${turns} turns of the event loop`);
});
