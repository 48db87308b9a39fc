import type { IncomingMessage } from 'node:http';
import { SkeinError } from '../../protocol/errors.ts';
import type { OpenFile } from './file-reader.ts';
import { shown } from './source-gate.ts';

/** Statuses under which the same request may succeed later. */
const passing = [408, 425, 429, 500, 502, 503, 504];

/** What is read of the body of a refusal, for its reason. */
const mostRefusalBytes = 4_096;

/** The file of a 200 or 206. Rejects with `source_malformed` for an answer that is not what was asked for. */
export function fileOfAnswer(url: URL, answer: IncomingMessage, askedOffset: number): OpenFile {
  const { headers, statusCode } = answer;
  const coding = headers['content-encoding'] ?? 'identity';
  if (coding !== 'identity')
    throw malformed(url, answer, `it comes with Content-Encoding ${coding}, which was not asked for`);
  if (statusCode === 200) {
    return { offsetBytes: 0, sizeBytes: readCount(headers['content-length']), bytes: answer };
  }
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
  if (Number(first) !== askedOffset) {
    throw malformed(
      url,
      answer,
      `bytes from ${askedOffset} were asked for, it sends '${headers['content-range'] ?? ''}'`,
    );
  }
  return { offsetBytes: askedOffset, sizeBytes: readCount(total), bytes: answer };
}

/** The error that a refusal stands for. Reads and ends the answer. `reasonOf` finds the reason in a body. */
export async function refusalOf(url: URL, answer: IncomingMessage, reasonOf = plainReason): Promise<SkeinError> {
  const { statusCode = 0, statusMessage = '' } = answer;
  const said = reasonOf(await beginningOf(answer));
  const reason = [`${statusCode} ${statusMessage}`.trim(), said].filter((part) => part !== '').join(': ');
  if (statusCode === 404 || statusCode === 410) return new SkeinError('source_not_found', { url: shown(url), reason });
  if (passing.includes(statusCode)) return new SkeinError('source_unreachable', { url: shown(url), reason });
  return new SkeinError('source_refused', { url: shown(url), reason });
}

function plainReason(body: string): string {
  return /^[\x20-\x7e]{1,200}\s*$/.test(body) ? body.trim() : '';
}

async function beginningOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      text += chunk.toString('latin1');
      if (text.length >= mostRefusalBytes) break;
    }
  } catch {
    // What was said until then is enough.
  }
  return text.slice(0, mostRefusalBytes);
}

function malformed(url: URL, answer: IncomingMessage, reason: string): SkeinError {
  answer.destroy();
  return new SkeinError('source_malformed', { url: shown(url), reason });
}

function readCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
