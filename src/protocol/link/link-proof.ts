import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * Both ends of a link prove that they know the fleet's secret, without sending it: each signs what both have said in
 * their hellos with the key of the backend. That key follows from the secret and the backend's name, so that a backend
 * which holds its own key alone can be nobody else, and can tell routers that hold the secret from strangers.
 */
export interface LinkSecret {
  /** The key of the backend of this name; undefined where only another one's is held. */
  keyOf(backendId: string): Buffer | undefined;
}

/** What stands in a file that holds the key of one backend rather than the secret of the fleet. */
const memberForm = /^skein-backend-key:([^:\s]+):([0-9a-f]{64})$/;

/** Reads the content of a token file: the fleet's secret, or the key of one backend. */
export function readLinkSecret(text: string): LinkSecret {
  const trimmed = text.trim();
  const member = memberForm.exec(trimmed);
  if (member !== null) {
    const key = Buffer.from(member[2]!, 'hex');
    return { keyOf: (backendId) => (backendId === member[1] ? key : undefined) };
  }
  const secret = createHash('sha256').update(trimmed).digest();
  return { keyOf: (backendId) => keyFrom(secret, backendId) };
}

/** The text of a file with which a member can be this backend and no other. */
export function backendKeyText(secretText: string, backendId: string): string {
  const key = readLinkSecret(secretText).keyOf(backendId);
  return `skein-backend-key:${backendId}:${key!.toString('hex')}`;
}

function keyFrom(secret: Buffer, backendId: string): Buffer {
  return createHmac('sha256', secret).update(`backend:${backendId}`).digest();
}

export function drawNonce(): string {
  return randomBytes(16).toString('hex');
}

/** What both hellos said, by role. */
export interface ProofFacts {
  readonly routerId: string;
  readonly backendId: string;
  readonly routerNonce: string;
  readonly backendNonce: string;
}

/** `role` is that of the one who proves: one end's proof is not the other's. */
export function proofOf(key: Buffer, role: 'router' | 'backend', facts: ProofFacts): string {
  const { routerId, backendId, routerNonce, backendNonce } = facts;
  return createHmac('sha256', key)
    .update([role, routerId, backendId, routerNonce, backendNonce].join('\n'))
    .digest('hex');
}

export function isSameProof(expected: string, found: unknown): boolean {
  if (typeof found !== 'string' || found.length !== expected.length) return false;
  return timingSafeEqual(Buffer.from(expected), Buffer.from(found));
}
