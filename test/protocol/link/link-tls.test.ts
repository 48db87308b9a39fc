import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PeerCertificate } from 'node:tls';
import { certificateNames, certificateNamesAsker, errandName } from '../../../src/protocol/link/link-tls.ts';

const certificate = (name: string, alternatives?: string) =>
  ({ subject: { CN: name }, subjectaltname: alternatives }) as PeerCertificate;
/** What Node has of a peer that showed none. */
const none = {} as PeerCertificate;

describe('a certificate of a member', () => {
  test('is made out to its common name, and to its DNS names', () => {
    const routers = certificate('routers', 'DNS:r1, DNS:r2, IP Address:10.0.0.1');
    for (const name of ['routers', 'r1', 'r2']) assert.ok(certificateNames(routers, name), name);
    for (const name of ['r3', 'r', '10.0.0.1', 'DNS:r1', '']) assert.ok(!certificateNames(routers, name), name);
    assert.ok(!certificateNames(none, 'r1'));
  });

  test("of a backend is good for that backend's errands, and for nobody else's", () => {
    const b1 = certificate('b1');
    for (const errand of ['asks', 'fetches'] as const) {
      assert.ok(certificateNamesAsker(b1, errandName('b1', errand)));
      assert.ok(!certificateNamesAsker(b1, errandName('b2', errand)));
      assert.ok(!certificateNames(b1, errandName('b1', errand)), 'no other backend may serve under that name');
    }
    assert.ok(certificateNamesAsker(b1, 'b1'));
    for (const name of ['r1', 'b1-', 'b1-asks-asks', '-asks', '']) assert.ok(!certificateNamesAsker(b1, name), name);
    assert.ok(!certificateNamesAsker(none, 'b1-asks'));
  });
});
