import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ArrivingRequests } from '../../../src/backends/host/arriving-requests.ts';

describe('ArrivingRequests', () => {
  test('are waited for until the last has come', async () => {
    const arriving = new ArrivingRequests();
    await arriving.whenNone();
    arriving.begin();
    arriving.begin();
    let isOver = false;
    const over = arriving.whenNone().then(() => {
      isOver = true;
    });
    arriving.end();
    await Promise.resolve();
    assert.deepEqual([isOver, arriving.count], [false, 1]);
    arriving.end();
    await over;
  });

  test('are waited for no longer than 10 s', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const arriving = new ArrivingRequests();
    arriving.begin();
    const over = arriving.whenNone();
    t.mock.timers.tick(10_000);
    await over;
    assert.equal(arriving.count, 1);
  });
});
