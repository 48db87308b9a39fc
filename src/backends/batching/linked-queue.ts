/**
 * A first-in-first-out queue whose members can leave from the middle at once. Each member carries its own node, so that
 * queueing allocates nothing; a node is in one queue at a time.
 */
export class QueueNode<T> {
  readonly owner: T;
  /** The queue that holds it; undefined while it is in none. */
  queue: LinkedQueue<T> | undefined;
  before: QueueNode<T> | undefined;
  after: QueueNode<T> | undefined;

  constructor(owner: T) {
    this.owner = owner;
  }
}

export class LinkedQueue<T> {
  #first: QueueNode<T> | undefined;
  #last: QueueNode<T> | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get first(): QueueNode<T> | undefined {
    return this.#first;
  }

  append(node: QueueNode<T>): void {
    node.queue = this;
    node.before = this.#last;
    if (this.#last === undefined) this.#first = node;
    else this.#last.after = node;
    this.#last = node;
    this.#length += 1;
  }

  /** Does nothing for a node that is elsewhere. */
  remove(node: QueueNode<T>): void {
    if (node.queue !== this) return;
    if (node.before === undefined) this.#first = node.after;
    else node.before.after = node.after;
    if (node.after === undefined) this.#last = node.before;
    else node.after.before = node.before;
    node.queue = node.before = node.after = undefined;
    this.#length -= 1;
  }
}
