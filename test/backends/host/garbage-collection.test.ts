import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { garbageCollector } from '../../../src/backends/host/garbage-collection.ts';

test('what nobody holds any more is collected when asked for, not some time later', async () => {
  const collect = garbageCollector();
  const held = Buffer.allocUnsafeSlow(1024);
  const dropped = new WeakRef(Buffer.allocUnsafeSlow(1024));
  const kept = new WeakRef(held);
  // A weak reference holds its target until the turn that made it is over.
  await setImmediate();
  collect();
  assert.equal(dropped.deref(), undefined);
  assert.equal(kept.deref(), held);
});
