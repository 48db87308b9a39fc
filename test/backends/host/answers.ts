/** Requests of any dialect to a copy of a fake model, and what comes back. */
import type { Copy } from '../../../src/backends/host/copy.ts';
import type { SkeinError } from '../../../src/protocol/errors.ts';
import { type BodyDialect, BodyKind } from '../../../src/protocol/link/infer-head.ts';

/** The bytes of the answer; rejects with the error. */
export function ask(copy: Copy, dialect: BodyDialect, body: Uint8Array | string): Promise<Buffer> {
  return new Promise((resolve, reject: (error: SkeinError) => void) => {
    const facts = { kind: BodyKind[dialect], headerLength: undefined, signature: '' };
    copy.infer([typeof body === 'string' ? Buffer.from(body) : body], facts, 0, {
      reply: ({ parts, byteLength }) => {
        const bytes = Buffer.concat(parts);
        if (bytes.length !== byteLength) throw new Error(`${bytes.length} bytes where ${byteLength} were announced`);
        resolve(bytes);
      },
      fail: (error) => reject(error),
      drop: () => {},
    });
  });
}
