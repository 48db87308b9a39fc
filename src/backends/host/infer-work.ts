import type { SkeinError } from '../../protocol/errors.ts';
import type { EncodedBody } from '../../protocol/v2/infer-reply.ts';
import type { InferRequest } from '../../protocol/v2/infer-request.ts';
import type { Answer } from '../batching/answer-order.ts';
import type { BatchingOptions } from '../batching/batching-options.ts';
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

/** The calls of one request. */
export class InferWorks implements Cancellable {
  readonly #works: Cancellable[] = [];

  add(work: Cancellable | undefined): void {
    if (work !== undefined) this.#works.push(work);
  }

  cancel(): void {
    for (const work of this.#works) work.cancel();
  }
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

/**
 * What must agree for two requests to share a run: the signature, the inputs given, their types and all dimensions but
 * that of the batch where they have one, the outputs wanted and their order. Of inputs that are padded to the longest the rank is enough, where there is something to pad with.
 */
export function batchKey(
  { request, batched, signature: { own } }: DecodedRequest,
  { padsLengths, maxBatchRows }: Pick<BatchingOptions, 'padsLengths' | 'maxBatchRows'>,
): string {
  let key = `${own.name};`;
  for (const { name, datatype, shape } of request.inputs) {
    key += `${name}:${datatype}`;
    if (padsLengths === true && !shape.includes(0)) key += `^${shape.length}`;
    else for (let i = batched ? 1 : 0; i < shape.length; i++) key += `,${shape[i]}`;
    key += ';';
  }
  // What is learned of a batch by its rows would not hold for one that has more than the queue counts.
  if (request.batchSize > maxBatchRows) key += `${request.batchSize};`;
  const { outputs } = request;
  const areAll = outputs.length === own.outputs.length && outputs.every(({ name }, i) => name === own.outputs[i]!.name);
  if (!areAll) key += outputs.map(({ name }) => name).join();
  return key;
}
