import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { until } from '../../adapters/until.ts';
import { ask, model, startMesh } from './test-mesh.ts';

describe('a server of somebody else’s', () => {
  test('serves the models that it is declared to have, of any version, and never loads', async (t) => {
    const { mesh, external, backend, connected } = startMesh(t);
    const b1 = backend('b1');
    const x = external('x', {}, ['far']);
    await connected();
    x.addCopy('far');
    assert.equal(await ask(mesh, 'far').over(), 'far  on x');
    assert.equal(await ask(mesh, 'far', { version: 1 }).over(), 'far  on x');
    assert.equal(x.infers[1]!.call.versionNamed, true);
    assert.deepEqual(
      mesh.index().map(({ name, state }) => [name, state]),
      [['far', 'READY']],
    );
    assert.deepEqual([x.loads, b1.loads], [[], []]);
  });

  test('serves models that it lists without having been declared to have them', async (t) => {
    const { mesh, external, connected } = startMesh(t);
    const x = external('x', {});
    await connected();
    assert.equal(ask(mesh, 'found').outcome, 'model_unknown');
    x.addCopy('found');
    assert.equal(await ask(mesh, 'found').over(), 'found  on x');
  });

  test('is told to load a model that it offers, by its name alone', async (t) => {
    const { mesh, external, connected } = startMesh(t);
    const x = external('x', { load: true, unload: true });
    await connected();
    x.offer('cold');
    assert.equal(mesh.isModelReady('cold', undefined), true);
    assert.equal(await ask(mesh, 'cold').over(), 'cold  on x');
    assert.deepEqual(
      x.loads.map(({ model: name, version, directory }) => [name, version, directory]),
      [['cold', 0, '']],
    );
    await mesh.unload('cold');
    assert.deepEqual([x.copies.size, ask(mesh, 'cold').outcome], [0, 'model_unavailable']);
    await mesh.load('cold', undefined);
    assert.equal(await ask(mesh, 'cold').over(), 'cold  on x');
  });

  test('is known to have a model no more that it has stopped offering', async (t) => {
    const { mesh, external, connected } = startMesh(t);
    const x = external('x', { load: true }, ['declared']);
    await connected();
    x.offer('one', 'two', 'declared');
    assert.deepEqual(
      mesh.index().map(({ name }) => name),
      ['declared', 'one', 'two'],
    );
    x.offer('two');
    assert.deepEqual(
      mesh.index().map(({ name }) => name),
      ['declared', 'two'],
    );
    assert.equal(ask(mesh, 'one').outcome, 'model_unknown');
    await ask(mesh, 'two').over();
    x.offer(); // it is loaded now
    assert.equal(await ask(mesh, 'two').over(), 'two  on x');
  });

  test('gives a clear error at once while it is away, is never replaced by a backend of Skein’s, and is noticed when it returns', async (t) => {
    const { mesh, external, backend, connected } = startMesh(t);
    const b1 = backend('b1');
    const x = external('x', {}, ['far']);
    await connected();
    x.addCopy('far');
    x.die();
    for (const options of [{}, { version: 1 }]) {
      const answer = ask(mesh, 'far', options);
      assert.equal(answer.outcome, 'no_backend');
      assert.match(answer.error!.message, /'x' does not answer \(the process ended\)/);
    }
    assert.equal(mesh.isModelReady('far', undefined), false);
    x.isDown = false;
    await until('its return', () => x.isConnected);
    x.addCopy('far');
    assert.equal(await ask(mesh, 'far').over(), 'far  on x');
    assert.deepEqual(b1.loads, []);
  });

  test('gives a clear error for a model that it has not loaded and cannot be told to load', async (t) => {
    const { mesh, external, connected } = startMesh(t);
    const x = external('x', {}, ['far']);
    await connected();
    const copy = x.addCopy('far');
    x.dropCopy('far');
    assert.equal(ask(mesh, 'far').outcome, 'model_unavailable');
    assert.equal(copy.phase, 'ready');
    await assert.rejects(mesh.describe('far', undefined), { code: 'model_unavailable' });
  });

  test('is tried again elsewhere where another server has the model, too', async (t) => {
    const { mesh, external, connected } = startMesh(t);
    const servers = ['x1', 'x2'].map((id) => external(id, {}, ['far']));
    await connected();
    for (const server of servers) server.addCopy('far');
    const seen = () => servers.flatMap(({ infers }) => infers);
    const busy = new SkeinError('foreign_unavailable', { text: 'busy' });
    for (const server of servers) server.onInfer = (infer) => (seen().length === 1 ? infer.fail(busy) : infer.reply());
    assert.match(await ask(mesh, 'far').over(), /^far {2}on x/);
    assert.equal(seen().length, 2);
  });

  test('and a repository may both have a model: what is ready answers, and only Skein’s backends load', async (t) => {
    const { mesh, external, backend, put, connected } = startMesh(t);
    const b1 = backend('b1');
    const x = external('x', { load: true }, ['both']);
    await connected();
    put(model('both'));
    assert.equal(await ask(mesh, 'both').over(), 'both s1v1 on b1');
    assert.deepEqual([x.loads, b1.loads.length], [[], 1]);
  });
});
