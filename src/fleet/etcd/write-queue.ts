import type { EtcdClient } from './etcd-client.ts';
import { encodeBytes, type Operation, type Transaction, type TransactionAnswer } from './etcd-messages.ts';

/** etcd takes 128 operations a transaction unless it is told otherwise; those inside count as well. */
const writesATransaction = 48;

/** Each transaction is one write to etcd's disk: more of them at once than this gain nothing. */
const transactionsAtOnce = 4;

/** Writes that may wait; past it a caller is refused rather than kept. */
const mostWaiting = 50_000;

interface Waiting {
  readonly key: string;
  readonly write: Transaction;
  readonly isRemoval: boolean;
  readonly done: PromiseWithResolvers<TransactionAnswer>;
}

/**
 * Writes to one key each, every one with its own conditions, that are made together: while some transactions are under
 * way, what comes in waits and goes as one. etcd syncs its disk once for all of them.
 */
export class WriteQueue {
  readonly #client: EtcdClient;
  readonly #removalsKey: string;
  readonly #waiting: Waiting[] = [];
  #underWay = 0;

  /** `removalsKey` is written with every transaction that removes something. */
  constructor(client: EtcdClient, removalsKey: string) {
    this.#client = client;
    this.#removalsKey = removalsKey;
  }

  /** True where no more is taken. */
  get isFull(): boolean {
    return this.#waiting.length >= mostWaiting;
  }

  /** Resolves with what became of this write alone. */
  write(key: string, write: Transaction, isRemoval = false): Promise<TransactionAnswer> {
    const done = Promise.withResolvers<TransactionAnswer>();
    this.#waiting.push({ key, write, isRemoval, done });
    if (this.#underWay < transactionsAtOnce) queueMicrotask(() => this.#send());
    return done.promise;
  }

  #send(): void {
    if (this.#underWay >= transactionsAtOnce || this.#waiting.length === 0) return;
    const batch = this.#takeBatch();
    this.#underWay++;
    void this.#commit(batch).finally(() => {
      this.#underWay--;
      this.#send();
    });
    this.#send();
  }

  /** No key twice: etcd refuses that. */
  #takeBatch(): Waiting[] {
    const keys = new Set<string>();
    const batch: Waiting[] = [];
    for (let at = 0; at < this.#waiting.length && batch.length < writesATransaction; ) {
      const one = this.#waiting[at]!;
      if (keys.has(one.key)) {
        at++;
        continue;
      }
      keys.add(one.key);
      batch.push(one);
      this.#waiting.splice(at, 1);
    }
    return batch;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    try {
      const success: Operation[] = batch.map(({ write }) => ({ request_txn: write }));
      if (batch.some(({ isRemoval }) => isRemoval)) {
        success.push({ request_put: { key: encodeBytes(this.#removalsKey), value: encodeBytes(`${Date.now()}`) } });
      }
      const { header, responses = [] } = await this.#client.call<TransactionAnswer>('/kv/txn', { success });
      for (const [i, { done }] of batch.entries()) done.resolve({ ...responses[i]?.response_txn, header });
    } catch (fault) {
      for (const { done } of batch) done.reject(fault);
    }
  }
}
