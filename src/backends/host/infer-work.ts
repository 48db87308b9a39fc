import type { SkeinError } from '../../protocol/errors.ts';
import type { EncodedBody } from '../../protocol/v2/infer-reply.ts';
import type { InferRequest } from '../../protocol/v2/infer-request.ts';
import type { Answer } from '../batching/answer-order.ts';
import { BatchItem, type BatchItemFacts } from '../batching/item.ts';
import type { BodyCodec, DecodedRequest } from './body-codec.ts';

/** Where an answer goes. Exactly one of them is called, once, and nobody reads the body of the request from then on. */
export interface Responder {
  reply(body: EncodedBody): void;
  fail(error: SkeinError, requestId: string | undefined): void;
  /** It was cancelled. */
  drop(): void;
}

/** A request under way. */
export interface Cancellable {
  cancel(): void;
}

/** One request in a copy: queued, then part of a run, then answered. */
export class InferWork extends BatchItem implements Cancellable {
  readonly decoded: DecodedRequest;
  /** Of the decoded request, where runs look at it. */
  readonly request: InferRequest;
  readonly codec: BodyCodec;
  readonly responder: Responder;
  readonly arrivedMs: number;
  /** Nobody wants the answer any more: it is dropped from the queue, or from its batch's answers. */
  cancelled = false;
  onCancel: (() => void) | undefined;
  /** Its place among the answers, where they leave in order. */
  place: Answer<() => void> | undefined;

  constructor(
    decoded: DecodedRequest,
    codec: BodyCodec,
    responder: Responder,
    facts: BatchItemFacts & { readonly arrivedMs: number },
  ) {
    super(facts);
    this.decoded = decoded;
    this.request = decoded.request;
    this.codec = codec;
    this.responder = responder;
    this.arrivedMs = facts.arrivedMs;
  }

  cancel(): void {
    this.cancelled = true;
    this.onCancel?.();
  }
}
