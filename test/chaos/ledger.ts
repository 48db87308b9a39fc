/** Every request that was sent against every answer that came back: sans IO, times are its callers'. */

export type AnswerKind =
  /** The answer to this very request. */
  | 'right'
  /** An error that says why. */
  | 'refused'
  /** The connection ended within the answer. */
  | 'begun'
  /** Not the answer to this request, or an error without a reason. */
  | 'wrong';

export interface Answer {
  readonly kind: AnswerKind;
  readonly atMs: number;
  readonly router: string;
  /** The server's words, or what is wrong. */
  readonly what: string;
}

/** What may happen while a fault lasts, to requests of a model (`refused`) or through a router (the others). */
export interface Allowance {
  readonly kind: 'refused' | 'begun' | 'given up';
  readonly of: string;
  readonly fromMs: number;
  untilMs: number;
}

export interface Entry {
  readonly number: number;
  readonly model: string;
  readonly dueMs: number;
  readonly answers: Answer[];
  /** Routers that the client waited for in vain before it asked another one. */
  readonly givenUp: GivenUp[];
}

interface GivenUp {
  readonly router: string;
  readonly atMs: number;
  /** How it then stood with the model there; '' where nobody asked. */
  said: string;
}

export type Verdict =
  | 'right'
  | 'allowed'
  | 'refused'
  | 'lost'
  | 'duplicated'
  | 'wrong'
  | 'late'
  | 'broken off'
  | 'unheard';

export const failures: readonly Verdict[] = ['refused', 'lost', 'duplicated', 'wrong', 'late', 'broken off', 'unheard'];

export class Ledger {
  readonly #entries = new Map<number, Entry>();
  readonly #allowances: Allowance[] = [];
  readonly #deadlineMs: number;

  /** No request may take longer than `deadlineMs`, counted from when it was due. */
  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
  }

  get entries(): Iterable<Entry> {
    return this.#entries.values();
  }

  sent(number: number, model: string, dueMs: number): void {
    if (this.#entries.has(number)) throw new RangeError(`request ${number} was sent already`);
    this.#entries.set(number, { number, model, dueMs, answers: [], givenUp: [] });
  }

  answered(number: number, answer: Answer): void {
    this.#entry(number).answers.push(answer);
  }

  /** What the router says of it comes later, into what is returned. */
  gaveUp(number: number, router: string, atMs: number): GivenUp {
    const givenUp = { router, atMs, said: '' };
    this.#entry(number).givenUp.push(givenUp);
    return givenUp;
  }

  /** Holds until `untilMs` of what is returned, which is open at first. */
  allow(kind: Allowance['kind'], of: string, fromMs: number): Allowance {
    const allowance = { kind, of, fromMs, untilMs: Number.POSITIVE_INFINITY };
    this.#allowances.push(allowance);
    return allowance;
  }

  verdict({ model, dueMs, answers, givenUp }: Entry): Verdict {
    const [answer] = answers;
    if (answer === undefined) return 'lost';
    if (answers.length > 1) return 'duplicated';
    if (answer.kind === 'wrong') return 'wrong';
    if (answer.atMs - dueMs > this.#deadlineMs) return 'late';
    if (answer.kind === 'refused') return this.#allows('refused', model, answer.atMs) ? 'allowed' : 'refused';
    if (answer.kind === 'begun') return this.#allows('begun', answer.router, answer.atMs) ? 'allowed' : 'broken off';
    return givenUp.every(({ router, atMs }) => this.#allows('given up', router, atMs)) ? 'right' : 'unheard';
  }

  #allows(kind: Allowance['kind'], of: string, atMs: number): boolean {
    return this.#allowances.some(
      (one) => one.kind === kind && one.of === of && one.fromMs <= atMs && atMs <= one.untilMs,
    );
  }

  #entry(number: number): Entry {
    const entry = this.#entries.get(number);
    if (entry === undefined) throw new RangeError(`request ${number} was never sent`);
    return entry;
  }
}
