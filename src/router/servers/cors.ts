import { inferenceHeaderName } from '../../protocol/v2/inference-header.ts';

/** How long a browser may remember that it was allowed to call, in seconds; browsers cut it to two hours at most. */
const preflightSeconds = 7_200;

/** What every answer says to a browser: names and values in turn. Empty where CORS is off. */
export function corsHeaders(origin: string): readonly string[] {
  if (origin === '') return [];
  return [
    ...['Access-Control-Allow-Origin', origin],
    ...['Access-Control-Expose-Headers', `${inferenceHeaderName}, Retry-After`],
    ...(origin === '*' ? [] : ['Vary', 'Origin']),
  ];
}

/** What a preflight is told on top. Any header may be sent: those that matter are checked where they are read. */
export function preflightHeaders(requestedHeaders: string | undefined): Record<string, string> {
  return {
    'Access-Control-Allow-Methods': 'GET, POST',
    'Access-Control-Allow-Headers': requestedHeaders ?? '*',
    'Access-Control-Max-Age': String(preflightSeconds),
  };
}
