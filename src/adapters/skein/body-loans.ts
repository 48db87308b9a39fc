import type { LinkConnection } from '../../protocol/link/connection.ts';
import { encodeLoan, FrameType, flagEnd } from '../../protocol/link/frame.ts';
import { NumberedTable } from '../../protocol/link/numbered-table.ts';
import type { SharedBodies, SharedBody } from '../../protocol/reads/shared-bodies.ts';

/** A backend whose link has ended ends what it runs for it; until then it may read what it was lent. */
const afterlifeMs = 10_000;

/** What of one body is lent on a stream. */
interface Loan {
  readonly body: SharedBody;
  /** The backend was told of everything before `from`, and is told next of what lies before `to`. */
  from: number;
  to: number;
  isTold: boolean;
}

/** Bodies in shared memory that one backend reads in place, by stream, from the first piece until it has done with them. */
export class BodyLoans {
  readonly #link: Pick<LinkConnection, 'send'>;
  readonly #bodies: SharedBodies;
  readonly #open = new NumberedTable<Loan>();

  constructor(link: Pick<LinkConnection, 'send'>, bodies: SharedBodies) {
    this.#link = link;
    this.#bodies = bodies;
  }

  /** The next piece of a stream's body. False where it is to be sent: it does not lie in the memory. */
  lend(stream: number, piece: Uint8Array, end: boolean): boolean {
    const loan = this.#open.get(stream) ?? this.#begin(stream, piece);
    if (loan === undefined) return false;
    if (piece.byteLength === 0) {
      if (!end || loan.to === loan.from) return false;
    } else if (this.#bodies.find(piece) !== loan.body) {
      this.#tell(stream, loan, false);
      return false;
    } else {
      const offset = this.#bodies.offsetOf(piece);
      if (offset !== loan.to) this.#tell(stream, loan, false);
      if (loan.to === loan.from) loan.from = offset;
      loan.to = offset + piece.byteLength;
    }
    // Nobody has a use for half a body: one frame tells of all of it.
    if (end) this.#tell(stream, loan, true);
    return true;
  }

  /** The backend has answered, or says so: it reads the body no more. */
  settle(stream: number): void {
    const loan = this.#open.get(stream);
    if (loan === undefined) return;
    this.#open.delete(stream);
    loan.body.release();
  }

  /** The router wants no answer. The backend says when it has done with what it was told of. */
  cancel(stream: number): void {
    if (this.#open.get(stream)?.isTold === false) this.settle(stream);
  }

  /** The link has ended. */
  close(): void {
    if (this.#open.size === 0) return;
    setTimeout(() => {
      for (const [stream] of this.#open.entries()) this.settle(stream);
    }, afterlifeMs).unref();
  }

  #begin(stream: number, piece: Uint8Array): Loan | undefined {
    const body = this.#bodies.find(piece);
    if (body === undefined) return undefined;
    body.lend();
    const from = this.#bodies.offsetOf(piece);
    const loan: Loan = { body, from, to: from, isTold: false };
    this.#open.set(stream, loan);
    return loan;
  }

  #tell(stream: number, loan: Loan, end: boolean): void {
    if (loan.to > loan.from) {
      loan.isTold = true;
      this.#link.send(FrameType.loan, stream, encodeLoan(loan.from, loan.to - loan.from), end ? flagEnd : 0);
    }
    loan.from = loan.to;
  }
}
