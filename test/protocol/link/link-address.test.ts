import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseLinkAddress, writeLinkAddress } from '../../../src/protocol/link/link-address.ts';

describe('parseLinkAddress', () => {
  for (const text of ['unix:/run/b1.sock', 'tcp://10.0.0.1:7001', 'tcp://b1.example:0', 'tcp://[::1]:7001']) {
    test(`reads ${text}, and writes it back`, () => {
      assert.equal(writeLinkAddress(parseLinkAddress(text)), text);
    });
  }

  for (const text of ['unix:b1.sock', 'tcp://h', 'tcp://h:99999', 'http://h:1', 'tcp://a b:1', '']) {
    test(`refuses '${text}'`, () => {
      assert.throws(() => parseLinkAddress(text), { code: 'setting_invalid' });
    });
  }
});
