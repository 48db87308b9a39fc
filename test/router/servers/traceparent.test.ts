import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTraceparent, writeTraceparent } from '../../../src/router/servers/traceparent.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

test('readTraceparent reads what writeTraceparent writes', () => {
  for (const isSampled of [true, false]) {
    assert.deepEqual(readTraceparent(writeTraceparent({ traceId, spanId, isSampled })), { traceId, spanId, isSampled });
  }
});

test('readTraceparent takes later versions with more fields, as the standard asks', () => {
  assert.deepEqual(readTraceparent(`01-${traceId}-${spanId}-03-more`), { traceId, spanId, isSampled: true });
});

test('readTraceparent takes nothing that breaks the rules', () => {
  for (const header of [
    undefined,
    '',
    `ff-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-01-more`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId}-${spanId}`,
    `00-${traceId}-${spanId}-1`,
    ` 00-${traceId}-${spanId}-01`,
  ]) {
    assert.equal(readTraceparent(header), undefined, header);
  }
});
