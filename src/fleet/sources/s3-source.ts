import { SkeinError } from '../../protocol/errors.ts';
import type { FileReader, OpenFile } from './file-reader.ts';
import { fileOfAnswer, refusalOf } from './http-answer.ts';
import { httpGet } from './http-exchange.ts';
import { type S3Place, s3Address } from './s3-address.ts';
import { type AwsCredentials, signGet } from './signature-v4.ts';
import { type SourceGate, shown } from './source-gate.ts';

interface S3Options extends S3Place {
  readonly silenceMs: number;
  /** Undefined for requests without a signature: public buckets. */
  readonly credentials: () => Promise<AwsCredentials | undefined>;
  /** The wall clock: S3 refuses signatures that are minutes off. */
  readonly nowMs?: () => number;
}

/** Objects of S3 and of what speaks its protocol. */
export class S3Source implements FileReader {
  readonly #gate: SourceGate;
  readonly #options: S3Options;

  constructor(gate: SourceGate, options: S3Options) {
    this.#gate = gate;
    this.#options = options;
  }

  async open(url: URL, offsetBytes: number, signal: AbortSignal): Promise<OpenFile> {
    this.#gate.check(url);
    const { region, silenceMs, credentials, nowMs = Date.now } = this.#options;
    const place = s3Address(url, this.#options);
    const range: Record<string, string> = offsetBytes > 0 ? { range: `bytes=${offsetBytes}-` } : {};
    const signer = await credentials();
    const headers =
      signer === undefined ? range : signGet({ url: place, headers: range, region, nowMs: nowMs() }, signer);
    // The endpoint is the operator's own word, the bucket was judged above: only the address is left.
    const answer = await httpGet(place, { headers, gate: this.#gate, silenceMs, signal });
    if (answer.statusCode === 200 || answer.statusCode === 206) return fileOfAnswer(url, answer, offsetBytes);
    if (answer.statusCode === 416 && offsetBytes > 0) {
      answer.destroy();
      return this.open(url, 0, signal);
    }
    const elsewhere = answer.headers['x-amz-bucket-region'];
    const refusal = await refusalOf(url, answer, xmlReason);
    if (elsewhere === undefined || elsewhere === region || refusal.code !== 'source_refused') throw refusal;
    const reason = `the bucket is in region ${elsewhere}, not in ${region} (setting s3-region)`;
    throw new SkeinError('source_refused', { url: shown(url), reason });
  }
}

/** S3 says what is wrong in XML: <Code>SignatureDoesNotMatch</Code><Message>…</Message>. */
function xmlReason(body: string): string {
  const [code, message] = ['Code', 'Message'].map(
    (name) => new RegExp(`<${name}>([^<]{1,300})</${name}>`).exec(body)?.[1],
  );
  return [code, message].filter((part) => part !== undefined).join(', ');
}
