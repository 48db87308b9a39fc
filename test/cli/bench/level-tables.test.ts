import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { levelTables } from '../../../src/cli/bench/level-tables.ts';
import { level } from './reports.ts';

const words = (line: string | undefined) => line?.trim().split(/ {2,}/);

describe('levelTables', () => {
  test('shows rates and latencies, then where the time goes', () => {
    const lines = levelTables([level]).split('\n');
    assert.deepEqual(words(lines[0]), [
      'CONCURRENCY',
      ...['INFER/S', 'AVG ms', 'P50', 'P90', 'P95', 'P99', 'P99.9', 'MAX', 'CPU us/REQ', 'NOTE'],
    ]);
    assert.deepEqual(words(lines[1]), ['8', '1,235', '12.5', '12.0', '14.1', '15.0', '20.5', '31.0', '104', '1850']);
    assert.deepEqual(words(lines[6]), ['8', '0', '20', '480', '4000', '90', '7850', '50', '10', '3.5']);
    assert.match(lines.at(-2)!, /generator itself took 15 us/);
  });

  test('leaves blank what cannot be seen', () => {
    const lines = levelTables([{ ...level, server: null, cpuUsPerRequest: null }]).split('\n');
    assert.equal(words(lines[1])?.at(-1), '-');
    assert.deepEqual(words(lines[6])?.slice(4, 8), ['-', '-', '-', '-']);
  });

  test('notes what makes a figure doubtful', () => {
    const doubtful = { ...level, failed: 2, failure: '503 busy', backlog: 1, stable: false, windows: 10, load: 'rate' };
    const [heading, row] = levelTables([doubtful as typeof level]).split('\n');
    assert.match(heading!, /^RATE\/S/);
    assert.match(
      row!,
      /failed 2, first with 503 busy; overloaded, 1 request due and not sent; not stable after 10 windows$/,
    );
  });
});
