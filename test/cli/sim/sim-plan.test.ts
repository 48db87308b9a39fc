import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { simPlan } from '../../../src/cli/sim/sim-plan.ts';
import { simText } from '../../../src/cli/sim/sim-text.ts';
import { simulate } from '../../../src/simulation/simulation.ts';
import { temporaryDirectory } from '../../fixtures/model-folder.ts';

const plan = (flags: Record<string, string | boolean | string[]> = {}, cwd = '/') =>
  simPlan({ flags, operands: [] }, cwd);

describe('simPlan', () => {
  test('has a default for everything', () => {
    const { shape, trace, traceName } = plan();
    assert.deepEqual([shape.nodes, shape.places, shape.routers, shape.clients], [3, 100, 1, 0]);
    assert.deepEqual([trace.models.length, traceName], [900, 'zipf']);
    assert.equal([...trace.arrivals()].length, 60_000);
  });

  test('takes sizes, times and events as they are written elsewhere', () => {
    const event = ['join@60s', 'drain:b2@1.5m', 'kill@500ms'];
    const { shape } = plan({ size: '2GiB', load: '4s', skew: '250ms', event, 'fixed-copies': true });
    assert.deepEqual([shape.meanBytes, shape.loadMs, shape.skewMs, shape.scales], [2 ** 31, 4_000, 250, false]);
    assert.deepEqual(shape.events, [
      { kind: 'join', atMs: 60_000 },
      { kind: 'drain', atMs: 90_000, node: 'b2' },
      { kind: 'kill', atMs: 500 },
    ]);
  });

  test('reads a recorded trace, relative to where it is called', (t) => {
    const folder = temporaryDirectory(t);
    writeFileSync(join(folder, 'trace.csv'), '10,a\n20,b\n');
    assert.deepEqual(plan({ trace: 'trace.csv' }, folder).trace.models, ['a', 'b']);
    assert.equal(plan({ trace: 'azure', models: '7', minutes: '2' }).trace.models.length, 7);
  });

  test('says which flag is wrong and what it takes', (t) => {
    const folder = temporaryDirectory(t);
    writeFileSync(join(folder, 'bad.csv'), 'x\n');
    const wrong: [Record<string, string | string[]>, RegExp][] = [
      [{ nodes: 'many' }, /--nodes takes a number from 1 to 10000, got 'many'/],
      [{ nodes: '1.5' }, /--nodes takes a whole number/],
      [{ models: '0' }, /--models takes a number from 1/],
      [{ load: '30' }, /--load takes a time such as/],
      [{ skew: '2m' }, /--skew takes at most 1s/],
      [{ size: 'big' }, /--size takes a size such as/],
      [{ event: ['explode@5s'] }, /--event is join@TIME.*got 'explode@5s'/],
      [{ event: ['join:b9@5s'] }, /--event/],
      [{ trace: 'nowhere.csv' }, /--trace is zipf, azure or a file; '.*nowhere.csv' cannot be read/],
      [{ trace: 'bad.csv' }, /is no trace: line 1 is 'x'; expected/],
    ];
    for (const [flags, message] of wrong) {
      assert.throws(
        () => plan(flags, folder),
        (fault: { code?: string; message: string }) => {
          assert.equal(fault.code, 'usage');
          assert.match(fault.message, message);
          return true;
        },
      );
    }
  });
});

describe('simText', () => {
  test('says what was found, and what came of each event', () => {
    const asked = plan({ requests: '3000', models: '60', places: '30', event: ['join@3s', 'drain@6s'] });
    const text = simText(asked, simulate(asked.shape, asked.trace));
    assert.match(text, /^fleet +3 nodes of 30 places, 1 router\ntrace +zipf: 3000 requests for 60 models in 10\.1 s\n/);
    assert.match(text, /requests +3000 answered, 0 refused/);
    assert.match(text, /EVENT +NODE +AT +COPIES +MOVES +TOOK\njoin +b4 +3 s +15 fair +\d+ /);
  });
});
