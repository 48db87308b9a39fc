import type { BodyDialect } from '../../../protocol/link/infer-head.ts';
import type { SpecPlace } from '../../../protocol/tfserving/find-spec.ts';

/** Who asks, as far as a method may want to know. */
interface Caller {
  readonly remoteAddress: string | undefined;
}

/** An inference: its message goes to the mesh as it came, but for what must be read of it to know the model. */
export interface InferMethod {
  readonly kind: 'infer';
  readonly dialect: BodyDialect;
  readonly specPlace: SpecPlace;
}

/** One small message in, one out. */
export interface UnaryMethod {
  readonly kind: 'unary';
  readonly handle: (message: Uint8Array, caller: Caller) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
}

/** By path: `/package.Service/Method`. */
export type GrpcMethods = Readonly<Record<string, InferMethod | UnaryMethod>>;
