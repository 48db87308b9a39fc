import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until } from '../../adapters/until.ts';
import { ask, model, startMesh } from './test-mesh.ts';

describe('a load whose backend is lost', () => {
  test('goes on when that is back, and none of the requests fails', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const b1 = backend('b1');
    await connected();
    b1.onLoad = () => new Promise(() => {});
    put(model('a'));
    const answers = [ask(mesh, 'a'), ask(mesh, 'a')];
    await until('the load', () => b1.loads.length === 1);
    b1.die();
    b1.onLoad = () => {};
    b1.isDown = false;
    for (const answer of answers) assert.equal(await answer.over(), 'a s1v1 on b1');
    assert.equal(b1.loads.length, 2);
  });

  test('is given up where it keeps ending its backend', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const b1 = backend('b1');
    await connected();
    b1.onLoad = () => {
      setTimeout(() => {
        b1.die();
        b1.isDown = false;
      });
      return new Promise(() => {});
    };
    put(model('a'));
    const answer = ask(mesh, 'a');
    assert.equal(await answer.over(), 'model_failed');
    assert.match(answer.error!.message, /ended 3 times/);
    assert.equal(b1.loads.length, 3);
  });

  test('is not tried again in a fleet where a second one, alone, ended a process as well; other files may', async (t) => {
    const { mesh, backend, put, connected, processes } = startMesh(t);
    const backends = [backend('b1'), backend('b2'), backend('b3')];
    await connected();
    processes.end = { kind: 'signal', signal: 'SIGFPE' };
    let turns = 0;
    let ended = 0;
    processes.takeTurn = async () => {
      turns++;
      return async () => void ended++;
    };
    for (const one of backends) {
      one.onLoad = ({ stamp }) => {
        if (stamp !== 's1v1') return;
        setTimeout(() => one.die());
        return new Promise(() => {});
      };
    }
    const loads = () => backends.reduce((sum, one) => sum + one.loads.length, 0);
    put(model('a'));
    const answer = ask(mesh, 'a');
    assert.equal(await answer.over(), 'model_failed');
    assert.match(answer.error!.message, /two backends ended while they loaded these files/);
    await until('the turn is over', () => ended === 1);
    assert.deepEqual([loads(), turns, mesh.report().convictions], [2, 1, 1]);
    await assert.rejects(mesh.load('a', undefined), { code: 'load_failed' });
    assert.equal(loads(), 2);
    put(model('a', 's2'));
    assert.match(await ask(mesh, 'a').over(), /^a s2v1 on b/);
  });

  test('is not blamed in a fleet for a process that was ended from outside', async (t) => {
    const { mesh, backend, put, connected, processes } = startMesh(t);
    const b1 = backend('b1');
    await connected();
    processes.takeTurn = () => Promise.reject(new Error('nobody is suspected'));
    b1.onLoad = () => {
      b1.onLoad = () => {};
      setTimeout(() => {
        b1.die();
        b1.isDown = false;
      });
      return new Promise(() => {});
    };
    put(model('a'));
    assert.equal(await ask(mesh, 'a').over(), 'a s1v1 on b1');
  });

  test('gives back its turn that comes when a copy is there already', async (t) => {
    const { mesh, backend, put, connected, processes } = startMesh(t);
    const backends = [backend('b1'), backend('b2')];
    await connected();
    processes.end = { kind: 'signal', signal: 'SIGFPE' };
    const turn = Promise.withResolvers<() => Promise<void>>();
    let asked = 0;
    let ended = 0;
    processes.takeTurn = () => {
      asked++;
      return turn.promise;
    };
    for (const one of backends) {
      one.onLoad = () => {
        setTimeout(() => one.die());
        return new Promise(() => {});
      };
    }
    put(model('a'));
    const answer = ask(mesh, 'a');
    await until('the wait for a turn', () => asked === 1);
    backends.find(({ isDown }) => !isDown)!.addCopy('a', 1, 's1v1');
    assert.match(await answer.over(), /^a s1v1 on b/);
    turn.resolve(async () => void ended++);
    await until('the turn is over', () => ended === 1);
    assert.equal(
      backends.reduce((sum, { loads }) => sum + loads.length, 0),
      1,
    );
  });
});
