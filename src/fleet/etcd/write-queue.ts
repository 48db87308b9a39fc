import type { EtcdClient } from './etcd-client.ts';
import { encodeBytes, type Operation, type Transaction, type TransactionAnswer } from './etcd-messages.ts';

/** etcd takes 128 operations a transaction unless it is told otherwise; those inside count as well. */
const writesATransaction = 48;

/** Writes that may wait; past it a caller is refused rather than kept. */
const mostWaiting = 50_000;

interface Waiting {
  readonly key: string;
  readonly write: Transaction;
  readonly isRemoval: boolean;
  readonly done: PromiseWithResolvers<TransactionAnswer>;
}

/**
 * Writes to one key each, every one with its own conditions, that are made together: while a transaction is under way,
 * what comes in waits and goes as one. More transactions at once would carry less each: etcd syncs its disk for every one,
 * and tells its watches of every one.
 */
export class WriteQueue {
  readonly #client: EtcdClient;
  readonly #removalsKey: string;
  readonly #waiting: Waiting[] = [];
  #isUnderWay = false;

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
    // After everything that was read in this turn of the event loop has been asked for.
    if (!this.#isUnderWay) setImmediate(() => this.#send());
    return done.promise;
  }

  #send(): void {
    if (this.#isUnderWay || this.#waiting.length === 0) return;
    this.#isUnderWay = true;
    void this.#commit(this.#takeBatch()).finally(() => {
      this.#isUnderWay = false;
      // Those who were just answered may have more to write.
      setImmediate(() => this.#send());
    });
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

  /** All or nothing first, which costs etcd half as much; where a condition does not hold, each write by its own. */
  async #commit(batch: readonly Waiting[]): Promise<void> {
    try {
      const together = await this.#transact(batch, {
        compare: batch.flatMap(({ write }) => write.compare ?? []),
        success: batch.flatMap(({ write }) => write.success ?? []),
      });
      if (together.succeeded === true) {
        for (const { done } of batch) done.resolve({ succeeded: true, header: together.header });
        return;
      }
      const apart = await this.#transact(batch, { success: batch.map(({ write }) => ({ request_txn: write })) });
      for (const [i, { done }] of batch.entries()) {
        done.resolve({ ...apart.responses?.[i]?.response_txn, header: apart.header });
      }
    } catch (fault) {
      for (const { done } of batch) done.reject(fault);
    }
  }

  #transact(batch: readonly Waiting[], { compare, success }: Transaction): Promise<TransactionAnswer> {
    const note: Operation[] = batch.some(({ isRemoval }) => isRemoval)
      ? [{ request_put: { key: encodeBytes(this.#removalsKey), value: encodeBytes(`${Date.now()}`) } }]
      : [];
    return this.#client.call('/kv/txn', { compare, success: [...(success ?? []), ...note] });
  }
}
