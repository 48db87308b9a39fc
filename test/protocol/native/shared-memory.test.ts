import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { describe, test } from 'node:test';
import { createSharedMemory, mapSharedMemory } from '../../../src/protocol/native/shared-memory.ts';

const bytes = 1024 * 1024;

describe('shared memory', { skip: process.platform === 'linux' ? false : 'Linux alone has it' }, () => {
  test('shows whoever maps it what is written into it', () => {
    const memory = createSharedMemory(bytes)!;
    memory.bytes.write('before', 70_000);
    const mapped = mapSharedMemory(memory.path, bytes);
    assert.deepEqual([memory.bytes.length, mapped.bytes.length], [bytes, bytes]);
    assert.equal(mapped.bytes.toString('latin1', 70_000, 70_006), 'before');
    memory.bytes.write('behind', 70_000);
    assert.equal(mapped.bytes.toString('latin1', 70_000, 70_006), 'behind');
    mapped.unmap();
    assert.equal(memory.bytes.toString('latin1', 70_000, 70_006), 'behind');
  });

  test('is mapped in its size alone', () => {
    const { path } = createSharedMemory(bytes)!;
    assert.throws(() => mapSharedMemory(path, 2 * bytes), /is not 2097152 bytes for good/);
  });

  test('is not taken for a file of somebody else', () => {
    const fd = openSync(import.meta.filename, 'r');
    const why = /is no memory that was made to be shared/;
    assert.throws(() => mapSharedMemory(import.meta.filename, bytes), why);
    assert.throws(() => mapSharedMemory(`/proc/${process.pid}/fd/${fd}`, bytes), why);
    assert.throws(() => mapSharedMemory(`/proc/${process.pid}/fd/../exe`, bytes), why);
    closeSync(fd);
  });
});
