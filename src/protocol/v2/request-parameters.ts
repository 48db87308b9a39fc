import { SkeinError } from '../errors.ts';
import { wrongKind } from '../json/data-faults.ts';
import { JsonReal } from '../json/json-number.ts';
import type { JsonValue } from '../json/json-value.ts';
import { excerpt } from './excerpt.ts';
import type { ParameterValue, RequestParameters } from './infer-request.ts';

/** What the parameters of a request say: those that travel, and the one that only this dialect has. */
interface ReadParameters {
  readonly parameters: RequestParameters;
  /** Counts only when the request names no outputs. */
  readonly binaryOutput: boolean;
  /** Left out: the default one. */
  readonly signatureName?: string;
}

const noOther: ReadonlyMap<string, ParameterValue> = new Map();

export const noParameters: RequestParameters = Object.freeze({
  priority: 0,
  timeoutUs: 0,
  sequenceStart: false,
  sequenceEnd: false,
  other: noOther,
});

export function readParameters(value: JsonValue | undefined): ReadParameters {
  if (value === undefined) return { parameters: noParameters, binaryOutput: false };
  if (!(value instanceof Map)) throw new SkeinError('parameters_kind');
  const other = new Map<string, ParameterValue>();
  let parameters: RequestParameters = { ...noParameters, other };
  let binaryOutput = false;
  let signatureName: string | undefined;
  for (const [name, member] of value) {
    switch (name) {
      case 'priority':
        parameters = { ...parameters, priority: readUnsigned(name, member) };
        break;
      case 'timeout':
        parameters = { ...parameters, timeoutUs: readUnsigned(name, member) };
        break;
      case 'sequence_id':
        parameters = withSequence(parameters, member);
        break;
      case 'sequence_start':
        parameters = { ...parameters, sequenceStart: readBoolean(name, member) };
        break;
      case 'sequence_end':
        parameters = { ...parameters, sequenceEnd: readBoolean(name, member) };
        break;
      case 'binary_data_output':
        binaryOutput = readBoolean(name, member);
        break;
      case 'signature_name':
        if (typeof member !== 'string') throw wrongKind("'signature_name'", 'string');
        if (member !== '') signatureName = member;
        break;
      default:
        other.set(name, readOther(name, member));
    }
  }
  return { parameters, binaryOutput, ...(signatureName === undefined ? {} : { signatureName }) };
}

function withSequence(parameters: RequestParameters, value: JsonValue): RequestParameters {
  const unsigned = (typeof value === 'number' || typeof value === 'bigint') && value >= 0;
  if (!unsigned && typeof value !== 'string') throw wrongKind("'sequence_id'", 'string');
  if (value === 0 || value === '') return parameters;
  return { ...parameters, sequenceId: typeof value === 'string' ? value : BigInt(value) };
}

/** Beyond 2 ** 53 the nearest double: neither a priority nor a time-out is exact there. */
export function readUnsigned(name: string, value: JsonValue): number {
  if ((typeof value !== 'number' && typeof value !== 'bigint') || value < 0) throw wrongKind(`'${name}'`, 'unsigned');
  return Number(value);
}

export function readBoolean(name: string, value: JsonValue): boolean {
  if (typeof value !== 'boolean') throw wrongKind(`'${name}'`, 'boolean');
  return value;
}

function readOther(name: string, value: JsonValue): ParameterValue {
  if (name.startsWith('triton_')) throw new SkeinError('parameter_reserved');
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint') return value;
  if (typeof value === 'number') return BigInt(value);
  if (value instanceof JsonReal) return value.value;
  throw new SkeinError('parameter_kind', { parameter: excerpt(name) });
}
