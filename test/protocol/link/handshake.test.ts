import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { credentialFor, withTickets } from '../../../src/protocol/link/file-ticket.ts';
import { Handshake } from '../../../src/protocol/link/handshake.ts';
import { backendKeyText, type LinkSecret, readLinkSecret } from '../../../src/protocol/link/link-proof.ts';

const secret = readLinkSecret('the secret of this fleet\n');
const windowBytes = 1_024;

/** What becomes of a link between a router and a backend of these secrets; the reason where it does not open. */
function meet(ofRouter: LinkSecret | undefined, ofBackend: LinkSecret | undefined, backendId = 'b1'): string {
  const router = new Handshake(
    { role: 'router', id: 'r1', software: '1', ...(ofRouter && { secret: ofRouter }) },
    windowBytes,
  );
  const backend = new Handshake(
    { role: 'backend', id: backendId, software: '1', ...(ofBackend && { secret: ofBackend }) },
    windowBytes,
  );
  const atBackend = backend.onHello(router.hello);
  const atRouter = router.onHello(backend.hello);
  if ('refusal' in atBackend) return atBackend.refusal;
  if ('refusal' in atRouter) return atRouter.refusal;
  if (atBackend.proof === undefined || atRouter.proof === undefined) return 'open';
  return router.onProof(atBackend.proof) ?? backend.onProof(atRouter.proof) ?? 'open';
}

describe('Handshake', () => {
  test('opens between two that ask for nothing', () => {
    assert.equal(meet(undefined, undefined), 'open');
  });

  test('opens between two that know the same secret', () => {
    assert.equal(meet(secret, secret), 'open');
  });

  test('opens for a backend that holds its own key alone', () => {
    assert.equal(meet(secret, readLinkSecret(backendKeyText('the secret of this fleet', 'b1'))), 'open');
  });

  test('does not open for a backend that holds the key of another one', () => {
    const others = readLinkSecret(backendKeyText('the secret of this fleet', 'b2'));
    assert.match(meet(secret, others), /is not that of 'b1'/);
  });

  test('does not open for another secret, and says so', () => {
    assert.match(meet(secret, readLinkSecret('the secret of another fleet')), /wrong token/);
    assert.match(meet(readLinkSecret('the secret of another fleet'), secret), /wrong token/);
  });

  test('does not open for one without a secret where the other has one, and says so', () => {
    assert.match(meet(secret, undefined), /has none|no token/);
    assert.match(meet(undefined, secret), /has none|no token/);
  });

  test('takes no proof of another connection, and not its own', () => {
    const pair = () =>
      [
        new Handshake({ role: 'router', id: 'r1', software: '1', secret }, windowBytes),
        new Handshake({ role: 'backend', id: 'b1', software: '1', secret }, windowBytes),
      ] as const;
    const [router, backend] = pair();
    const [, earlier] = pair();
    const replayed = earlier.onHello(router.hello);
    const own = router.onHello(backend.hello);
    assert.ok('proof' in replayed && 'proof' in own);
    assert.match(router.onProof(replayed.proof!) ?? '', /wrong token/);
    assert.match(router.onProof(own.proof!) ?? '', /wrong token/);
    assert.match(router.onProof({ proof: 7 as never }) ?? '', /wrong token/);
  });

  test('asks for a certificate of the name beside the proof, and sends no proof without', () => {
    const router = new Handshake({ role: 'router', id: 'r1', software: '1', secret }, windowBytes);
    const certified = (name: string) =>
      new Handshake(
        { role: 'backend', id: 'b1', software: '1', secret, isCertified: (id) => id === name },
        windowBytes,
      ).onHello(router.hello);
    assert.ok('proof' in certified('r1'));
    assert.deepEqual(certified('b2'), {
      refusal: "the certificate that router 'r1' shows is not made out to 'r1'",
    });
  });

  describe('by a ticket', () => {
    const ownKey = (id: string) => readLinkSecret(backendKeyText('the secret of this fleet', id));
    const told = withTickets([{ id: 'b1', address: 'tcp://b1:1' }], 'b2', secret)[0]!;

    /** What becomes of a link from a backend to `b1`. */
    function fetchFrom(credential: ReturnType<typeof credentialFor>, asker = 'b2-fetches'): string {
      const comes = new Handshake({ role: 'router', id: asker, software: '1', ...credential }, windowBytes);
      const gives = new Handshake({ role: 'backend', id: 'b1', software: '1', secret: ownKey('b1') }, windowBytes);
      const [atGiver, atComer] = [gives.onHello(comes.hello), comes.onHello(gives.hello)];
      if ('refusal' in atGiver) return atGiver.refusal;
      if ('refusal' in atComer) return atComer.refusal;
      return comes.onProof(atGiver.proof!) ?? gives.onProof(atComer.proof!) ?? 'open';
    }

    test('opens between two that hold a key of their own each', () => {
      assert.equal(fetchFrom(credentialFor(told, ownKey('b2'))), 'open');
    });

    test('opens by the secret where that is held, without a ticket', () => {
      const credential = credentialFor(told, secret);
      assert.equal(credential.hasTicket, undefined);
      assert.equal(fetchFrom(credential), 'open');
    });

    test('does not open for another backend, for another name, or as if it were a key', () => {
      const others = withTickets([{ id: 'b1', address: 'tcp://b1:1' }], 'b3', secret)[0]!;
      assert.match(fetchFrom(credentialFor(others, ownKey('b2'))), /wrong token/);
      assert.match(fetchFrom(credentialFor(told, ownKey('b2')), 'r1'), /wrong token/);
      const { secret: asKey } = credentialFor(told, ownKey('b2'));
      assert.match(fetchFrom({ secret: asKey! }), /wrong token/);
      assert.match(fetchFrom(credentialFor({ ...told, ticket: 'nonsense' }, ownKey('b2'))), /wrong token/);
    });

    test('does not open where the router knows no key to make one from', () => {
      const [bare] = withTickets([{ id: 'b1', address: 'tcp://b1:1' }], 'b2', ownKey('b7'));
      assert.deepEqual(Object.keys(bare!), ['id', 'address']);
      assert.match(fetchFrom(credentialFor(bare!, ownKey('b2'))), /is not that of 'b1'/);
    });
  });

  test('says which versions do not meet', () => {
    const router = new Handshake({ role: 'router', id: 'r1', software: '1' }, windowBytes);
    const hello = {
      ...new Handshake({ role: 'backend', id: 'b1', software: '9' }, windowBytes).hello,
      versions: [8, 9] as const,
    };
    const outcome = router.onHello(hello);
    assert.match('refusal' in outcome ? outcome.refusal : '', /no link version in common.*8-9/);
  });
});
