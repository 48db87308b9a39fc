import type { IncomingMessage } from 'node:http';
import { SkeinError } from '../../protocol/errors.ts';
import type { FileReader, OpenFile } from './file-reader.ts';
import { fileOfAnswer, refusalOf } from './http-answer.ts';
import { httpGet } from './http-exchange.ts';
import { type SourceGate, shown } from './source-gate.ts';

const mostRedirects = 5;

/** Files of HTTP and HTTPS servers. */
export class HttpSource implements FileReader {
  readonly #gate: SourceGate;
  readonly #silenceMs: number;

  constructor(gate: SourceGate, silenceMs: number) {
    this.#gate = gate;
    this.#silenceMs = silenceMs;
  }

  async open(url: URL, offsetBytes: number, signal: AbortSignal): Promise<OpenFile> {
    let place = url;
    for (let redirects = 0; redirects <= mostRedirects; redirects++) {
      // Every place on the way is judged: a redirect must not lead where an entry may not.
      this.#gate.check(place);
      const answer = await this.#get(place, offsetBytes, signal);
      const { statusCode = 0 } = answer;
      if (statusCode === 200 || statusCode === 206) return fileOfAnswer(place, answer, offsetBytes);
      // The rest that is asked for is not there: what is here already is not of this file.
      if (statusCode === 416 && offsetBytes > 0) {
        answer.destroy();
        return this.open(url, 0, signal);
      }
      const next = redirectOf(place, answer);
      if (next === undefined) throw await refusalOf(place, answer);
      answer.destroy();
      place = next;
    }
    throw new SkeinError('source_refused', { url: shown(url), reason: `more than ${mostRedirects} redirects` });
  }

  #get(url: URL, offsetBytes: number, signal: AbortSignal): Promise<IncomingMessage> {
    const range = offsetBytes > 0 ? { range: `bytes=${offsetBytes}-` } : {};
    const headers = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'skein', ...range };
    return httpGet(url, { headers, gate: this.#gate, silenceMs: this.#silenceMs, signal });
  }
}

function redirectOf(url: URL, { statusCode = 0, headers }: IncomingMessage): URL | undefined {
  const { location } = headers;
  if (![301, 302, 303, 307, 308].includes(statusCode) || location === undefined) return undefined;
  return URL.canParse(location, url.href) ? new URL(location, url) : undefined;
}
