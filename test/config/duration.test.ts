import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, parseDuration, writeDuration } from '../../src/config/duration.ts';

describe('parseDuration', () => {
  const times: Readonly<Record<string, number>> = {
    '250ms': 250,
    '30s': 30_000,
    '1.5h': 5_400_000,
    '5 m': 300_000,
    '0': 0,
  };
  for (const [text, ms] of Object.entries(times)) {
    test(`reads '${text}' as ${ms} ms`, () => assert.equal(parseDuration(text), ms));
  }

  for (const text of ['', '30', '-1s', '5min', '1d', 's', '1e3ms', '30S', 'constructor']) {
    test(`refuses '${text}'`, () => assert.equal(parseDuration(text), undefined));
  }
});

describe('writeDuration', () => {
  test('writes what parseDuration reads back', () => {
    fc.assert(fc.property(fc.nat(), (ms) => parseDuration(writeDuration(ms)) === ms));
  });
});

describe('formatDuration', () => {
  test('picks the unit that a person would', () => {
    const shown = [0, 0.42, 40, 1_234, 59_940, 200_000, 3_600_000, 7_500_000, 356_400_000].map(formatDuration);
    assert.deepEqual(shown, [
      '0 ms',
      '0.4 ms',
      '40 ms',
      '1.2 s',
      '59.9 s',
      '3 min 20 s',
      '1 h',
      '2 h 5 min',
      '4 d 3 h',
    ]);
  });

  test('never writes a unit as many times as the next one holds', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 10_000_000 }),
        (ms) => !/\b(1000 ms|60(\.0)? s|60 min|24 h)\b/.test(formatDuration(ms)),
      ),
    );
  });
});
