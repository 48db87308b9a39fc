import { SkeinError } from '../../protocol/errors.ts';
import type { InferReply } from '../adapter.ts';
import { foreignError } from './foreign-error.ts';
import type { V2Options } from './v2-options.ts';

/** Of a refusal's text, as much is read; an error that needs more has gone wrong itself. */
const refusalBytes = 64 * 1024;

type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Told of an answer in this order: onHead, pieces, onEnd; or onError instead of whatever was still to come. */
interface AnswerHandler {
  onHead(head: Pick<InferReply, 'headerLength' | 'bodyBytes'>): void;
  onPiece(piece: Uint8Array): void;
  onEnd(): void;
  onError(error: SkeinError): void;
}

type Stage =
  | { readonly kind: 'before' }
  /** The answer is relayed as it comes. */
  | { readonly kind: 'relaying' }
  /** Its length is not known before its end, and whoever relays it has to say the length first. */
  | { readonly kind: 'gathering'; readonly headerLength: number | undefined }
  | { readonly kind: 'refused'; readonly status: number };

/** Reads the HTTP answer to an inference: a reply to relay, or a refusal to put into words. */
export class AnswerReader {
  readonly #backend: string;
  readonly #options: V2Options;
  readonly #handler: AnswerHandler;
  readonly #kept: Uint8Array[] = [];
  #stage: Stage = { kind: 'before' };
  #receivedBytes = 0;
  #isComplete = false;

  constructor(backend: string, options: V2Options, handler: AnswerHandler) {
    this.#backend = backend;
    this.#options = options;
    this.#handler = handler;
  }

  /** Undefined where nothing of the answer has been told yet, not even that it comes. */
  get relayedBytes(): number | undefined {
    return this.#stage.kind === 'relaying' ? this.#receivedBytes : undefined;
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  head(status: number, headers: ResponseHeaders): void {
    if (status !== 200) {
      this.#stage = { kind: 'refused', status };
      return;
    }
    const bodyBytes = lengthOf(headers['content-length']);
    const headerLength = lengthOf(headers['inference-header-content-length']);
    const fault = this.#faultOf(headers['content-encoding'] ?? 'identity', headerLength, bodyBytes);
    if (fault !== undefined) {
      this.#fail(fault);
    } else if (bodyBytes === undefined) {
      this.#stage = { kind: 'gathering', headerLength };
    } else {
      this.#stage = { kind: 'relaying' };
      this.#handler.onHead({ headerLength, bodyBytes });
    }
  }

  piece(piece: Uint8Array): void {
    this.#receivedBytes += piece.byteLength;
    switch (this.#stage.kind) {
      case 'relaying':
        this.#handler.onPiece(piece);
        return;
      case 'gathering':
        if (this.#receivedBytes > this.#options.gatheredAnswerBytes) {
          this.#fail(tooLarge(this.#receivedBytes, 'gatheredAnswerBytes'));
        } else this.#kept.push(piece);
        return;
      case 'refused':
        if (this.#receivedBytes <= refusalBytes) this.#kept.push(piece);
        return;
      case 'before':
        return;
      default:
        this.#stage satisfies never;
    }
  }

  end(): void {
    this.#isComplete = true;
    if (this.#stage.kind === 'refused') {
      const body = Buffer.concat(this.#kept);
      this.#handler.onError(foreignError(this.#backend, { status: this.#stage.status, body }));
      return;
    }
    if (this.#stage.kind !== 'gathering') {
      this.#handler.onEnd();
      return;
    }
    const { headerLength } = this.#stage;
    const bodyBytes = this.#receivedBytes;
    const fault = this.#faultOf('identity', headerLength, bodyBytes);
    if (fault !== undefined) {
      this.#fail(fault);
      return;
    }
    this.#handler.onHead({ headerLength, bodyBytes });
    for (const piece of this.#kept) this.#handler.onPiece(piece);
    this.#handler.onEnd();
  }

  /** Why an answer of such headers cannot be relayed. `bodyBytes` is undefined where its end will tell. */
  #faultOf(encoding: string | string[], headerLength: number | undefined, bodyBytes: number | undefined) {
    // None was asked for, so a server that compresses all the same would be misread by the client.
    if (encoding !== 'identity') return `its Content-Encoding is ${encoding}, which was not asked for`;
    if (bodyBytes === undefined) return undefined;
    if (!(bodyBytes <= this.#options.largestAnswerBytes)) return tooLarge(bodyBytes, 'largestAnswerBytes');
    if (headerLength === undefined || headerLength <= bodyBytes) return undefined;
    return `its Inference-Header-Content-Length is ${headerLength}, its Content-Length ${bodyBytes}`;
  }

  #fail(reason: string): void {
    this.#handler.onError(new SkeinError('reply_malformed', { backend: this.#backend, reason }));
  }
}

function tooLarge(bytes: number, bound: string): string {
  return `it has ${bytes} bytes or more, over the bound ${bound}`;
}

/** Undefined where the header is absent, NaN where it is no length. */
function lengthOf(value: string | string[] | undefined): number | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
}
