import { commandErrors } from '../../src/cli/exit-status.ts';
import { type ErrorCode, errorTable } from '../../src/protocol/errors.ts';
import { statusOfError } from '../../src/protocol/v2/status.ts';
import { code, madeLine, table } from './markdown.ts';

const codes = Object.keys(errorTable) as ErrorCode[];
const isCommandError = (error: ErrorCode) => error in commandErrors;

export function errorsPage(): string {
  return `${madeLine}

# Errors

Every error that Skein answers with is a row of one table. Texts follow Triton's where Triton has one, since clients match on
them. What stands in braces is filled in.

## Of the server

Over HTTP the body is \`{"error": "…"}\`. A fault of the client is a 4xx, never a 5xx. *Elsewhere*: the router may try another
copy, within the deadline and its retry budget, before the client sees the error.

${table(
  ['Code', 'HTTP', 'Elsewhere', 'Text'],
  codes
    .filter((error) => !isCommandError(error))
    .map((error) => [
      code(error),
      `${statusOfError({ code: error, kind: errorTable[error].kind })}`,
      errorTable[error].retry ? 'yes' : '',
      code(errorTable[error].template),
    ]),
)}

## Of the command

${table(
  ['Code', 'Exit status', 'Text'],
  codes
    .filter(isCommandError)
    .map((error) => [
      code(error),
      `${commandErrors[error as keyof typeof commandErrors].status}`,
      code(errorTable[error].template),
    ]),
)}
`;
}
