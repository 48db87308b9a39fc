import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreShare } from '../../../src/backends/host/core-share.ts';

/** Takes one core until it is told to give it back. */
function run(share: CoreShare, copy: string): { readonly started: () => boolean; end(): void } {
  let giveBack: (() => void) | undefined;
  share.take({ copy, cores: 1, overdraw: false }, (end) => {
    giveBack = end;
    return true;
  });
  return { started: () => giveBack !== undefined, end: () => giveBack!() };
}

describe('CoreShare', () => {
  test('lets runs end that hold more than it may now, starts none meanwhile, and those that wait when it may again', () => {
    const share = new CoreShare(2);
    const [first, second, third] = ['a', 'b', 'c'].map((copy) => run(share, copy));
    assert.deepEqual([first!.started(), second!.started(), third!.started()], [true, true, false]);
    share.limit = 1;
    first!.end();
    assert.equal(third!.started(), false);
    share.limit = 2;
    assert.equal(third!.started(), true);
    share.limit = 64;
    assert.equal(share.limit, 2, 'more than the host has');
  });

  test('wants what it holds, and all while somebody waits', () => {
    const share = new CoreShare(4);
    share.limit = 1;
    const first = run(share, 'a');
    share.takeDemand();
    assert.equal(share.takeDemand(), 1);
    const second = run(share, 'b');
    share.takeDemand();
    assert.equal(share.takeDemand(), 4);
    first.end();
    share.takeDemand();
    assert.equal(share.takeDemand(), 1);
    second.end();
    share.takeDemand();
    assert.equal(share.takeDemand(), 0);
  });
});
