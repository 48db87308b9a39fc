import { BodyKind, type InferHead } from '../../protocol/link/infer-head.ts';
import type { Tensor } from '../../protocol/tensors/tensor.ts';
import type { EncodedBody } from '../../protocol/v2/infer-reply.ts';
import type { InferRequest, RequestSchema } from '../../protocol/v2/infer-request.ts';
import type { AheadArray } from '../../protocol/v2/read-ahead.ts';
import type { ServedSignature, ServedSignatures } from './served-signature.ts';
import { tfClassifyCodec, tfMultiInferenceCodec, tfRegressCodec } from './tf-examples-codec.ts';
import { tfPredictCodec } from './tf-predict-codec.ts';
import { v1ClassifyCodec, v1RegressCodec } from './v1-examples-codec.ts';
import { v1PredictCodec } from './v1-predict-codec.ts';
import { v2Codec } from './v2-codec.ts';

/** What a router says of a body, as far as reading it needs it. */
export interface BodyFacts extends Pick<InferHead, 'kind' | 'headerLength' | 'signature'> {
  /** Arrays that were read already, and cut out of the body. */
  readonly ahead?: readonly AheadArray[];
}

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

/** One kind of body: how requests are read and answers written. `Call` may say more than runs need, for the answer. */
export interface BodyCodec<Call extends DecodedRequest = DecodedRequest> {
  /**
   * Throws a SkeinError for what the client did wrong. A request that is several calls has their answers one behind the
   * other.
   */
  decode(body: readonly Uint8Array[], facts: BodyFacts, model: CodecModel): Call | readonly Call[];
  /** `outputs` are the wanted ones in their order, in the engine's shapes. */
  encode(call: Call, outputs: readonly Tensor[], model: CodecModel): EncodedBody;
}

/** What `decode` may answer. */
export function isSeveral(calls: DecodedRequest | readonly DecodedRequest[]): calls is readonly DecodedRequest[] {
  return Array.isArray(calls);
}

export const bodyCodecs: Readonly<Record<BodyKind, BodyCodec>> = {
  [BodyKind.v2]: v2Codec,
  [BodyKind.v1Predict]: v1PredictCodec,
  [BodyKind.v1Classify]: v1ClassifyCodec,
  [BodyKind.v1Regress]: v1RegressCodec,
  [BodyKind.tfPredict]: tfPredictCodec,
  [BodyKind.tfClassify]: tfClassifyCodec,
  [BodyKind.tfRegress]: tfRegressCodec,
  [BodyKind.tfMultiInference]: tfMultiInferenceCodec,
};
