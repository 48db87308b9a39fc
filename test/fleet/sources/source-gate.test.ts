import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { SourceGate } from '../../../src/fleet/sources/source-gate.ts';

/** A name server that answers with these, one after the other: each look-up may get another answer. */
function gateWith(...answers: string[][]): SourceGate {
  const resolve = (_name: string, _options: unknown, callback: (fault: null, found: LookupAddress[]) => void) => {
    const addresses = answers.length > 1 ? answers.shift()! : answers[0]!;
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return new SourceGate([], 'public', resolve as never);
}

describe('SourceGate', () => {
  test('resolves a name to those of its addresses alone that are within the limit', async () => {
    const lookup = promisify(gateWith(['10.0.0.1', '8.8.8.8', '::1']).lookup);
    assert.deepEqual(await lookup('h', { all: true }), [{ address: '8.8.8.8', family: 4 }]);
  });

  test('refuses a name that leads elsewhere the second time', async () => {
    const lookup = promisify(gateWith(['8.8.8.8'], ['169.254.169.254']).lookup);
    await lookup('h', { all: true });
    await assert.rejects(lookup('h', { all: true }), { code: 'source_address', message: /169\.254\.169\.254/ });
  });

  test('judges hosts that are written as addresses', () => {
    const gate = gateWith([]);
    for (const host of ['127.0.0.1', '[::1]', '[fe80::1]', '10.0.0.1']) {
      assert.throws(() => gate.checkHost(host), { code: 'source_address' });
    }
    gate.checkHost('8.8.8.8');
    gate.checkHost('name.example.com');
  });
});
