import { RequestBody, type RetentionPool } from '../../src/adapters/request-body.ts';

/** A body as a client sends it, with a pool of its own, and whether the client was asked to pause. */
interface ClientBody {
  readonly body: RequestBody;
  readonly pool: RetentionPool;
  readonly isPaused: boolean;
}

export function clientBody(totalBytes: number | undefined, limitBytes = 1024 * 1024): ClientBody {
  const pool: RetentionPool = { usedBytes: 0, limitBytes, perRequestBytes: limitBytes };
  const client = { pool, isPaused: false };
  const flow = {
    pause: () => {
      client.isPaused = true;
    },
    resume: () => {
      client.isPaused = false;
    },
  };
  return Object.assign(client, { body: new RequestBody(totalBytes, pool, flow) });
}

/** A body that is all there. */
export function wholeBody(bytes: Uint8Array): RequestBody {
  const { body } = clientBody(bytes.byteLength);
  body.push(bytes);
  body.end();
  return body;
}
