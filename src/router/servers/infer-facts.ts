import type { IncomingHttpHeaders } from 'node:http';
import { SkeinError } from '../../protocol/errors.ts';
import type { BodyDialect } from '../../protocol/link/infer-head.ts';
import { readInferenceHeader } from '../../protocol/v2/inference-header.ts';
import type { IntakeFacts } from './body-intake.ts';
import { readContentEncoding } from './content-coding.ts';
import type { InferPath } from './infer-path.ts';
import { readVersion } from './model-version.ts';
import type { ServerOptions } from './server-options.ts';
import { readTimeout, timeoutHeaderKey } from './timeout-header.ts';
import { readTraceparent, traceparentLength } from './traceparent.ts';

/** What the head of an inference says. */
export interface InferFacts extends IntakeFacts {
  readonly dialect: BodyDialect;
  readonly model: string;
  readonly version: number | undefined;
  readonly headerLength: number | undefined;
  /** Time that the client gives the answer; 0 where it names none. */
  readonly timeoutMs: number;
  /** Valid, or empty. */
  readonly traceparent: string;
}

/** Throws where the body need not be read to know that it is refused. */
export function readInferFacts(headers: IncomingHttpHeaders, path: InferPath, options: ServerOptions): InferFacts {
  const { dialect, model } = path;
  const { maxBodyBytes, bodyTimeoutMs } = options;
  const version = path.version === undefined ? undefined : readVersion(path.version, model);
  const sentBytes = sentLength(headers);
  if (sentBytes !== undefined && sentBytes > maxBodyBytes) {
    throw new SkeinError('body_too_large', { bodyBytes: sentBytes, limitBytes: maxBodyBytes });
  }
  const coding = sentBytes === 0 ? undefined : readContentEncoding(headers['content-encoding']);
  const expectedBytes = coding === undefined ? sentBytes : undefined;
  const traceparent = headers['traceparent'];
  return {
    ...{ dialect, model, version, coding, expectedBytes, maxBodyBytes, bodyTimeoutMs },
    headerLength: readInferenceHeader(oneOf(headers['inference-header-content-length']), expectedBytes ?? maxBodyBytes),
    timeoutMs: readTimeout(oneOf(headers[timeoutHeaderKey])),
    traceparent:
      typeof traceparent === 'string' && readTraceparent(traceparent) !== undefined
        ? traceparent.slice(0, traceparentLength)
        : '',
  };
}

/** Bytes on the wire, undefined where the body comes in chunks. */
function sentLength(headers: IncomingHttpHeaders): number | undefined {
  if (headers['transfer-encoding'] !== undefined) return undefined;
  return Number(headers['content-length'] ?? 0);
}

/** Node joins repeated headers; only a few are lists, and none of ours is. */
function oneOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'object' ? value.join() : value;
}
