import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeapLeftovers } from '../../../src/backends/memory/heap-leftovers.ts';

const mebibyte = 2 ** 20;

const quiet = 15;
const times = (count: number, most: number) => Array.from({ length: count }, () => most);

/** At which of the looks memory is given back. */
function givenBackAt(mostMebibytes: readonly number[]): number[] {
  const leftovers = new HeapLeftovers();
  return mostMebibytes.flatMap((most, at) => (leftovers.look(most * mebibyte) ? [at] : []));
}

describe('HeapLeftovers', () => {
  test('gives back once when a peak has passed, and again after the next one', () => {
    assert.deepEqual(givenBackAt([0, 200, ...times(3 * quiet, 0)]), [1 + quiet]);
    assert.deepEqual(givenBackAt([200, ...times(quiet, 1), 150, ...times(quiet, 0)]), [quiet, 2 * quiet + 1]);
  });

  test('leaves what comes again', () => {
    const rest = times(quiet - 1, 0);
    assert.deepEqual(givenBackAt([200, ...rest, 180, ...rest, 190, ...rest, 60]), []);
    assert.deepEqual(givenBackAt(times(2 * quiet, 100)), []);
  });

  test('gives back what a peak has left when traffic goes on with a quarter of it', () => {
    assert.deepEqual(givenBackAt([200, ...times(3 * quiet, 50)]), [quiet]);
  });

  test('does nothing for little', () => {
    assert.deepEqual(givenBackAt([0, 20, ...times(quiet, 0), 31, ...times(quiet, 0)]), []);
  });
});
