import type { SkeinError } from '../../protocol/errors.ts';
import type { BodyDialect } from '../../protocol/link/infer-head.ts';
import * as v1 from '../../protocol/v1/status.ts';
import * as v2 from '../../protocol/v2/status.ts';

/** How an error looks to an HTTP client of one dialect. */
export interface ErrorRendering {
  status(error: SkeinError): number;
  body(error: SkeinError, requestId: string | undefined): string;
}

export const v2Errors: ErrorRendering = {
  status: ({ kind }) => v2.httpStatus(kind),
  body: (error, requestId) => v2.errorBody(error, requestId),
};

const v1Errors = (dialect: BodyDialect): ErrorRendering => ({
  status: ({ kind }) => v1.httpStatus(kind),
  body: (error) => v1.errorBody(error, dialect),
});

const renderings: Partial<Record<BodyDialect, ErrorRendering>> = {
  v1Predict: v1Errors('v1Predict'),
  v1Classify: v1Errors('v1Classify'),
  v1Regress: v1Errors('v1Regress'),
};

export function errorsIn(dialect: BodyDialect): ErrorRendering {
  return renderings[dialect] ?? v2Errors;
}
