import { LinkedQueue, QueueNode } from './linked-queue.ts';

/**
 * Lets answers out in the order in which their requests came in, for models with `preserve_ordering`. Every request that
 * enters must be settled, by an answer or an error; those behind it wait for that.
 */
export class AnswerOrder<T> {
  readonly #waiting = new LinkedQueue<Answer<T>>();

  /** Call when the request is queued; settle the ticket when its answer, or error, is known. */
  enter(): Answer<T> {
    const answer = new Answer<T>();
    this.#waiting.append(answer.inOrder);
    return answer;
  }

  /** The answers that may leave now, in order: none where an earlier one is still missing. */
  settle(answer: Answer<T>, value: T): T[] {
    if (answer.inOrder.queue === undefined || answer.settled) throw new Error('an answer is settled once');
    answer.settled = true;
    answer.value = value;
    const ready: T[] = [];
    for (let head = this.#waiting.first; head?.owner.settled; head = this.#waiting.first) {
      this.#waiting.remove(head);
      ready.push(head.owner.value as T);
    }
    return ready;
  }
}

/** A place in the order. */
export class Answer<T> {
  readonly inOrder = new QueueNode<Answer<T>>(this);
  settled = false;
  value: T | undefined;
}
