import type { IncomingMessage, ServerResponse } from 'node:http';
import { SkeinError } from '../../protocol/errors.ts';
import { errorsIn } from './error-rendering.ts';
import type { Front } from './front.ts';
import { InferExchange } from './infer-exchange.ts';
import { type InferFacts, readInferFacts } from './infer-facts.ts';
import type { InferPath } from './infer-path.ts';
import { NodeHttpClient } from './node-http-client.ts';
import { refuse } from './refusal.ts';

/** Inference in any of the dialects of HTTP: the hot path, on node:http itself. */
export function serveInfer(
  front: Front,
  req: IncomingMessage,
  res: ServerResponse,
  path: InferPath,
  awaitsContinue: boolean,
): void {
  let facts: InferFacts;
  try {
    const read = readInferFacts(req.headers, path, front.options);
    const { label, model } = path;
    facts = label === undefined ? read : { ...read, version: front.mesh.versionOfLabel(model, label) };
  } catch (fault) {
    const error = SkeinError.from(fault);
    front.metrics.refused(error.code);
    const errors = errorsIn(path.dialect);
    refuse(req, res, error, { fixedHeaders: front.fixedHeaders, mustClose: awaitsContinue, errors });
    return;
  }
  const tellToSend = awaitsContinue ? () => res.writeContinue() : undefined;
  new InferExchange(front, new NodeHttpClient(front, req, res, facts), facts).start(tellToSend);
}
