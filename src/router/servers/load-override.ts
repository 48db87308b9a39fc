import { checkModelName } from '../../fleet/repository/model-name.ts';
import { SkeinError } from '../../protocol/errors.ts';
import { readDocument } from '../../protocol/json/json-document.ts';
import type { JsonValue } from '../../protocol/json/json-value.ts';
import { excerpt } from '../../protocol/v2/excerpt.ts';
import type { LoadOverride } from '../mesh/mesh-port.ts';

const filePrefix = 'file:';

/** The body of a load call: `{"parameters": {"config": "…", "file:1/model.onnx": "base64"}}`; undefined for a plain one. */
export function readLoadOverride(body: Uint8Array, model: string): LoadOverride | undefined {
  if (body.byteLength === 0) return undefined;
  const document = readDocument(body);
  if (!(document instanceof Map)) throw new SkeinError('body_kind', { wanted: 'a JSON object' });
  const parameters = document.get('parameters');
  if (parameters === undefined) return undefined;
  if (!(parameters instanceof Map)) throw new SkeinError('parameters_kind');
  if (parameters.size === 0) return undefined;
  checkModelName(model); // a directory may be made for it
  let config: string | undefined;
  const files = new Map<string, Uint8Array>();
  for (const [name, value] of parameters) {
    if (name === 'config') config = readConfig(textOf(value), model);
    else if (name.startsWith(filePrefix))
      files.set(readPath(name.slice(filePrefix.length), model), readFile(name, value, model));
    else throw new SkeinError('load_parameter_unknown', { parameter: excerpt(name) });
  }
  if (config === undefined) throw pollFailed(model, "files are taken only together with 'config'");
  return { config, files };
}

function textOf(value: JsonValue): string {
  if (typeof value !== 'string') throw new SkeinError('value_kind', { phrase: 'non-string as string' });
  return value;
}

/** Whether it is a ModelConfig is for the repository to say; here it must be an object of JSON. */
function readConfig(text: string, model: string): string {
  try {
    if (readDocument(Buffer.from(text)) instanceof Map) return text;
  } catch (fault) {
    throw pollFailed(model, `'config' is not JSON: ${SkeinError.from(fault).message}`);
  }
  throw pollFailed(model, "'config' is not a JSON object");
}

/** A version, and below it a file that stays below it. */
function readPath(path: string, model: string): string {
  const [version = '', ...rest] = path.split('/');
  const isPlain = rest.length > 0 && rest.every((part) => part !== '' && part !== '.' && part !== '..');
  if (/^[1-9]\d{0,15}$/.test(version) && isPlain && !/[\\\0]/.test(path)) return path;
  throw new SkeinError('load_parameter', {
    model,
    detail: `'file:${excerpt(path)}' must name a version and a file in it, such as 'file:1/model.onnx'`,
  });
}

/** Node's decoder skips what is not base64 in silence: then there are fewer bytes than the text has room for. */
function readFile(name: string, value: JsonValue, model: string): Uint8Array {
  const text = textOf(value);
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const characters = text.length - padding;
  const bytes = Buffer.from(text, 'base64');
  if (characters % 4 !== 1 && bytes.byteLength === Math.floor((characters * 3) / 4)) return bytes;
  throw new SkeinError('load_parameter', { model, detail: `'${excerpt(name)}' is not base64` });
}

function pollFailed(model: string, reason: string): SkeinError {
  return new SkeinError('load_config', { model, reason });
}
