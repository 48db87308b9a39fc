import { setTimeout as sleep } from 'node:timers/promises';
import type { EtcdClient } from './etcd-client.ts';
import { encodeBytes, type TransactionAnswer } from './etcd-messages.ts';

/** A holder that died keeps the others from it for so long. */
const leaseSeconds = 5;

/** How often a turn that another member has is asked for again. */
const askAgainMs = 20;

/** Waits for a key that one member at a time may have; undefined where it did not come free within `withinMs`. */
export async function takeTurn(
  client: EtcdClient,
  keyText: string,
  withinMs: number,
): Promise<(() => Promise<void>) | undefined> {
  const key = encodeBytes(keyText);
  const { ID: lease } = await client.call<{ ID: string }>('/lease/grant', { TTL: String(leaseSeconds) });
  const end = async () => {
    await client.call('/lease/revoke', { ID: lease }).catch(() => {}); // it runs out
  };
  for (const untilMs = performance.now() + withinMs; ; await sleep(askAgainMs)) {
    const { succeeded } = await client.call<TransactionAnswer>('/kv/txn', {
      compare: [{ key, target: 'CREATE', result: 'EQUAL', create_revision: '0' }],
      success: [{ request_put: { key, value: encodeBytes('taken'), lease } }],
    });
    if (succeeded === true) return end;
    if (performance.now() >= untilMs) break;
  }
  await end();
  return undefined;
}
