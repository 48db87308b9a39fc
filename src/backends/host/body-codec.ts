import { BodyKind, type InferHead } from '../../protocol/link/infer-head.ts';
import type { Tensor } from '../../protocol/tensors/tensor.ts';
import type { EncodedBody } from '../../protocol/v2/infer-reply.ts';
import type { InferRequest, RequestSchema } from '../../protocol/v2/infer-request.ts';
import type { ServedSignature, ServedSignatures } from './served-signature.ts';
import { v2Codec } from './v2-codec.ts';

/** What a router says of a body, as far as reading it needs it. */
export type BodyFacts = Pick<InferHead, 'kind' | 'headerLength' | 'signature'>;

/** What a codec must know of the copy whose requests it reads. */
export interface CodecModel extends ServedSignatures {
  readonly model: string;
  readonly version: number;
  /** Made once for all requests: the default signature's schema, and the others by name. */
  readonly requestSchema: RequestSchema;
  /** Of outputs by name: the names of classes. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
}

/** A request as a copy queues and runs it: its inputs are in the engine's shapes. */
export interface DecodedRequest {
  readonly request: InferRequest;
  readonly signature: ServedSignature;
  /** Joins others in a run, along dimension 0; false: it has no rows that could be told apart. */
  readonly batched: boolean;
}

/** One kind of body: how requests are read and answers written. */
export interface BodyCodec {
  /** Throws a SkeinError for what the client did wrong. */
  decode(body: readonly Uint8Array[], facts: BodyFacts, model: CodecModel): DecodedRequest;
  /** `outputs` are the wanted ones in their order, in the engine's shapes. */
  encode(decoded: DecodedRequest, outputs: readonly Tensor[], model: CodecModel): EncodedBody;
}

export const bodyCodecs: Readonly<Record<BodyKind, BodyCodec>> = { [BodyKind.v2]: v2Codec };
