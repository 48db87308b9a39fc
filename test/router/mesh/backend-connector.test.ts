import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Adapter, BackendEvents, BackendSession } from '../../../src/adapters/adapter.ts';
import { BackendConnector } from '../../../src/router/mesh/backend-connector.ts';
import { Catalogue } from '../../../src/router/mesh/catalogue.ts';
import { FleetView } from '../../../src/router/mesh/fleet-view.ts';
import { until } from '../../adapters/until.ts';
import { FakeAdapter } from './fake-fleet.ts';

type Owner = { after(hook: () => void): void };

const record = { id: 'b1', kind: 'skein', address: 'fake:b1', engines: ['onnx'] };

function connect(t: Owner, adapter: Adapter) {
  const logs: string[] = [];
  const fleet = new FleetView(new Catalogue());
  const connector = new BackendConnector(fleet, [adapter], (message) => logs.push(message));
  t.after(() => connector.stop());
  return { connector, fleet, logs };
}

describe('BackendConnector', () => {
  test('connects, and connects again after a loss', async (t) => {
    const adapter = new FakeAdapter('skein');
    const b1 = adapter.add('b1');
    const { connector, fleet, logs } = connect(t, adapter);
    connector.add(record);
    await until('the session', () => fleet.backends.get('b1')!.standing === 'up');
    b1.die();
    assert.deepEqual(
      [fleet.backends.get('b1')!.standing, fleet.backends.get('b1')!.reason],
      ['down', 'the process ended'],
    );
    b1.isDown = false;
    await until('its return', () => fleet.backends.get('b1')!.standing === 'up');
    assert.deepEqual(logs, ['backend connected', 'backend lost', 'backend connected']);
  });

  test('tries ever less often while a backend is away, and also while its sessions do not last', async (t) => {
    for (const isFlapping of [false, true]) {
      let connects = 0;
      const adapter: Adapter = {
        kind: 'skein',
        connect: (_target, events) => {
          connects += 1;
          if (!isFlapping) return Promise.reject(new Error('nobody listens'));
          setImmediate(() => events.onLost('gone again'));
          return Promise.resolve({ can: {}, close: () => {} } as unknown as BackendSession);
        },
      };
      const { connector } = connect(t, adapter);
      connector.add(record);
      await new Promise((resolve) => setTimeout(resolve, 500));
      connector.stop();
      // Every 25 ms it would be twenty.
      assert.ok(connects >= 3 && connects <= 12, `${connects} tries in half a second`);
    }
  });

  test('takes a session for no session that was lost as it was made', async (t) => {
    let connects = 0;
    const adapter: Adapter = {
      kind: 'skein',
      connect: (_target, events: BackendEvents) => {
        connects += 1;
        const session = { can: { load: true }, close: () => {} } as unknown as BackendSession;
        if (connects === 1) events.onLost('closed at once');
        return Promise.resolve(session);
      },
    };
    const { connector, fleet } = connect(t, adapter);
    const view = connector.add(record);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([view.session, view.standing], [undefined, 'down']);
    await until('the second session', () => fleet.backends.get('b1')!.standing === 'up');
  });

  test('ends the session of a backend that is removed, with the reason, and comes not again', async (t) => {
    const adapter = new FakeAdapter('skein');
    const b1 = adapter.add('b1');
    const { connector, fleet } = connect(t, adapter);
    const view = connector.add(record);
    await until('the session', () => view.standing === 'up');
    connector.remove('b1');
    assert.equal(view.reason, 'removed');
    await new Promise((resolve) => setTimeout(resolve, 80));
    assert.deepEqual([b1.isConnected, b1.connects, fleet.backends.size], [false, 1, 0]);
    connector.remove('b1');
  });

  test('refuses a kind that it has no adapter for', (t) => {
    const { connector } = connect(t, new FakeAdapter('skein'));
    assert.throws(() => connector.add({ ...record, kind: 'other' }), /no adapter for backends of kind 'other'/);
  });
});
