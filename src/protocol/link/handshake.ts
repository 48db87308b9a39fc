import { ticketKey } from './file-ticket.ts';
import { drawNonce, isSameProof, type LinkSecret, type ProofFacts, proofOf } from './link-proof.ts';
import { commonVersion, type Hello, linkVersions, type Proof } from './messages.ts';

/** What an end of a link says of itself, and what it asks of the other end. */
export interface LinkSelf extends Pick<Hello, 'role' | 'id' | 'software' | 'hasTicket'> {
  /** The other end has to prove that it belongs to the fleet; left out: everybody who gets this far does. */
  readonly secret?: LinkSecret;
  /**
   * Whether the certificate that the other end has shown is made out to this name; left out: none was asked for. This end
   * says hello only after that: without a token a peer would take a hello for an open link.
   */
  readonly isCertified?: (peerId: string) => boolean;
}

/** The opening of a link as one end sees it: sans IO, so that it can be tried without a socket. */
export class Handshake {
  readonly hello: Hello;
  readonly #secret: LinkSecret | undefined;
  readonly #isCertified: LinkSelf['isCertified'];
  #peer: Hello | undefined;

  constructor({ secret, isCertified, ...self }: LinkSelf, streamWindowBytes: number) {
    this.#secret = secret;
    this.#isCertified = isCertified;
    const nonce = secret === undefined ? undefined : drawNonce();
    this.hello = { ...self, versions: linkVersions, streamWindowBytes, ...(nonce !== undefined && { nonce }) };
  }

  /** Whether this end says hello only to whom it lets in. */
  get speaksSecond(): boolean {
    return this.#isCertified !== undefined;
  }

  /** What the other end said, where the link is open or waits only for its proof. */
  get peer(): Hello | undefined {
    return this.#peer;
  }

  /** Takes the other end's hello: the proof to send, nothing to prove, or why it ends here. */
  onHello(peer: Hello): { readonly refusal: string } | { readonly proof: Proof | undefined; readonly version: number } {
    const version = commonVersion(this.hello.versions, peer.versions);
    if (version === undefined) {
      const [ours, theirs] = [linkVersions.join('-'), peer.versions.join('-')];
      return { refusal: `no link version in common: this side speaks ${ours}, '${peer.id}' ${theirs}` };
    }
    if (this.#isCertified?.(peer.id) === false) {
      return { refusal: `the certificate that ${peer.role} '${peer.id}' shows is not made out to '${peer.id}'` };
    }
    this.#peer = peer;
    if (this.#secret === undefined) {
      if (peer.nonce === undefined) return { proof: undefined, version };
      return { refusal: `${peer.role} '${peer.id}' asks for the fleet's token, and this ${this.hello.role} has none` };
    }
    if (peer.nonce === undefined) {
      return { refusal: `${peer.role} '${peer.id}' has no token, and this ${this.hello.role} asks for the fleet's` };
    }
    const key = this.#key();
    if (key === undefined)
      return { refusal: `the token of this ${this.hello.role} is not that of '${this.#facts().backendId}'` };
    return { proof: { proof: proofOf(key, this.hello.role, this.#facts()) }, version };
  }

  /** Whether the other end has still to prove itself. */
  get awaitsProof(): boolean {
    return this.#secret !== undefined;
  }

  /** Why the proof does not hold; undefined where it does. */
  onProof({ proof }: Proof): string | undefined {
    const peer = this.#peer!;
    const expected = proofOf(this.#key()!, peer.role, this.#facts());
    return isSameProof(expected, proof) ? undefined : `wrong token: ${peer.role} '${peer.id}' has another one`;
  }

  #key(): Buffer | undefined {
    const { routerId, backendId } = this.#facts();
    const key = this.#secret?.keyOf(backendId);
    // The one that comes with a ticket holds that key and no other.
    return key !== undefined && this.#peer!.hasTicket === true ? ticketKey(key, routerId) : key;
  }

  #facts(): ProofFacts {
    const [router, backend] = this.hello.role === 'router' ? [this.hello, this.#peer!] : [this.#peer!, this.hello];
    return {
      routerId: router.id,
      backendId: backend.id,
      routerNonce: router.nonce ?? '',
      backendNonce: backend.nonce ?? '',
    };
  }
}
