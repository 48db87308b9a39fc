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

test('JsonReader gives each request its own text where one comes while an idle thread ends', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const reader = new JsonReader();
  const bodyOf = (value: number) => {
    const data = Array.from({ length: 60_000 }, () => value);
    return [Buffer.from(JSON.stringify({ inputs: [{ name: 'A', datatype: 'INT32', shape: [60_000], data }] }))];
  };
  await reader.read(bodyOf(1));
  t.mock.timers.tick(5_000);
  // The old thread ends while the new one begins: one that is read again by itself is undefined.
  const answers = await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      await new Promise((resolve) => setImmediate(resolve));
      for (let turns = 0; turns < i * 20; turns++) await new Promise((resolve) => setImmediate(resolve));
      const ahead = await reader.read(bodyOf(i));
      const read = ahead?.arrays[0]?.read as Uint8Array | undefined;
      return read === undefined ? i : new Int32Array(read.buffer, read.byteOffset, 1)[0];
    }),
  );
  assert.deepEqual(
    answers,
    answers.map((_, i) => i),
  );
});
