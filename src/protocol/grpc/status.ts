import type { ErrorKind, SkeinError } from '../errors.ts';
import type { BodyDialect } from '../link/infer-head.ts';

/** Status codes of gRPC that are answered here. */
export const GrpcCode = {
  ok: 0,
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;
export type GrpcCode = (typeof GrpcCode)[keyof typeof GrpcCode];

const codes = {
  invalid: GrpcCode.invalidArgument,
  not_found: GrpcCode.notFound,
  forbidden: GrpcCode.permissionDenied,
  method: GrpcCode.unimplemented,
  too_large: GrpcCode.resourceExhausted,
  unsupported: GrpcCode.unimplemented,
  unavailable: GrpcCode.unavailable,
  deadline: GrpcCode.deadlineExceeded,
  cancelled: GrpcCode.cancelled,
  internal: GrpcCode.internal,
} as const satisfies Record<ErrorKind, GrpcCode>;

/** `dialect`: of the request, where it is an inference. */
export function grpcCode({ code, kind }: SkeinError, dialect?: BodyDialect): GrpcCode {
  const isPrecondition = code === 'label_unavailable' || (code === 'signature_unknown' && dialect === 'tfPredict');
  return isPrecondition ? GrpcCode.failedPrecondition : codes[kind];
}

/** A status message as the header `grpc-message` has it: UTF-8, all but printable ASCII in percent escapes. */
export function encodeGrpcMessage(text: string): string {
  if (/^[\x20-\x24\x26-\x7e]*$/.test(text)) return text;
  let encoded = '';
  for (const byte of Buffer.from(text)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}
