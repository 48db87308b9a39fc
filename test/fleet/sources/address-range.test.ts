import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { addressRange, isWithin } from '../../../src/fleet/sources/address-range.ts';

describe('addressRange', () => {
  const cases: Record<string, string[]> = {
    public: ['8.8.8.8', '172.32.0.1', '2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::8.8.8.8', '2002:808:808::1'],
    private: [
      '10.1.2.3',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.0.9',
      '100.64.0.1',
      'fd12::1',
      '::ffff:10.0.0.1',
      '2002:a00:1::',
    ],
    local: [
      '127.0.0.1', '0.0.0.0', '169.254.169.254', '224.0.0.1', '255.255.255.255', '100.100.100.200', '168.63.129.16',
      '::1', '::', 'fe80::1', 'ff02::1', 'fd00:ec2::254', '::ffff:127.0.0.1', '::ffff:a9fe:a9fe', '64:ff9b::169.254.169.254',
      '::127.0.0.1', '2002:7f00:1::',
    ], // biome-ignore format: addresses
  };
  for (const [range, addresses] of Object.entries(cases)) {
    for (const address of addresses)
      test(`of ${address} is ${range}`, () => assert.equal(addressRange(address), range));
  }

  test('of an IPv4 address is the same however IPv6 carries it', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const bytes = address.split('.').map(Number);
        const hex = [0, 2].map((i) => ((bytes[i]! << 8) | bytes[i + 1]!).toString(16)).join(':');
        const range = addressRange(address);
        assert.equal(addressRange(`::ffff:${address}`), range);
        assert.equal(addressRange(`::ffff:${hex}`), range);
        assert.equal(addressRange(`64:ff9b::${hex}`), range);
        assert.equal(addressRange(`2002:${hex}::5`), range);
      }),
    );
  });

  test('never throws for an address', () => {
    fc.assert(fc.property(fc.ipV6(), (address) => assert.ok(addressRange(address))));
  });
});

describe('isWithin', () => {
  test('lets each limit have what is below it', () => {
    const ranges = ['public', 'private', 'local'] as const;
    const open = (limit: 'public' | 'private' | 'any') => ranges.filter((range) => isWithin(range, limit));
    assert.deepEqual([open('public'), open('private'), open('any')], [['public'], ['public', 'private'], [...ranges]]);
  });
});
