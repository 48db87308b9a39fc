import type { ErrorKind, SkeinError } from '../errors.ts';
import type { BodyDialect } from '../link/infer-head.ts';
import type { TextTarget } from './pretty-json.ts';
import { PrettyJson } from './pretty-json.ts';

/** The HTTP status of each kind of error, as TensorFlow Serving maps its own (model_servers/http_server.cc). */
const statuses = {
  invalid: 400,
  forbidden: 403,
  not_found: 404,
  method: 405,
  too_large: 413,
  cancelled: 499,
  unsupported: 501,
  unavailable: 503,
  deadline: 504,
  internal: 500,
} as const satisfies Record<ErrorKind, number>;

export function httpStatus(kind: ErrorKind): number {
  return statuses[kind];
}

/** Texts that are TensorFlow Serving's for an error that every dialect has. */
export function errorText(error: SkeinError, dialect?: BodyDialect): string {
  const { code, facts, message } = error;
  switch (code) {
    case 'model_unknown':
    case 'model_unavailable':
      return `Servable not found for request: Latest(${facts['model']})`;
    case 'version_unknown':
      return `Servable not found for request: Specific(${facts['model']}, ${facts['version']})`;
    case 'model_failed':
      return `Servable not found for request: Latest(${facts['model']}): ${facts['reason']}`;
    case 'json_malformed':
      return facts['reason'] === 'The document is empty.' && facts['offset'] === 0
        ? 'JSON Parse error: The document is empty'
        : `JSON Parse error: ${facts['reason']} at offset: ${facts['offset']}`;
    case 'signature_unknown':
      return unknownSignature(String(facts['signature']), dialect);
    case 'version_malformed':
      return `Failed to convert version: ${facts['version']} to numeric.`;
    default:
      return message;
  }
}

/** Each of its methods says it otherwise. */
function unknownSignature(signature: string, dialect: BodyDialect | undefined): string {
  switch (dialect) {
    case 'v1Classify':
    case 'v1Regress':
    case 'tfClassify':
    case 'tfRegress':
      return `No signature was found with the name: ${signature}`;
    case 'tfPredict':
      return `Serving signature key "${signature}" not found.`;
    case 'tfMultiInference':
      return `Requested signature not found in model graph: ${signature}`;
    default:
      return `Serving signature name: "${signature}" not found in signature def`;
  }
}

/** The body of every error of the REST API. */
export function errorBody(error: SkeinError, dialect?: BodyDialect): string {
  const target = new Whole();
  const json = new PrettyJson(target);
  json.startObject();
  json.string('error');
  json.string(errorText(error, dialect));
  json.endObject();
  return target.text;
}

class Whole implements TextTarget {
  text = '';
  add(text: string): void {
    this.text += text;
  }
}
