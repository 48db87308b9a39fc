import { Buffer } from 'node:buffer';
import { STATUS_CODES } from 'node:http';
import type { Front } from './front.ts';
import { replyHeaders } from './reply-relay.ts';

/** Writes the heads of answers as node:http writes them, so that nobody can tell which reader a request had. */
export class StrictAnswerHeads {
  readonly #front: Front;
  readonly #keepAlive: string;
  /** What stands at the end of every head in this second. */
  #ending = '';
  #endingOf = -1;
  #endingHeaders: readonly string[] = [];
  /** The last head of an answer of 200, and what it was made of: the next one is often the same. */
  #ok = Buffer.alloc(0);
  #okEnding = '';
  #okHeaderLength: number | undefined;
  #okBodyBytes = 0;

  constructor(front: Front) {
    this.#front = front;
    const seconds = Math.floor(front.options.keepAliveTimeoutMs / 1_000);
    this.#keepAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${seconds}\r\n`;
  }

  /** The answer is the last one on its connection, because the server says so in every answer. */
  get isLast(): boolean {
    return this.#front.fixedHeaders.includes('close');
  }

  /** Of an answer of 200. Not to be written to. */
  ok(headerLength: number | undefined, bodyBytes: number): Buffer {
    const ending = this.#end();
    if (ending !== this.#okEnding || headerLength !== this.#okHeaderLength || bodyBytes !== this.#okBodyBytes) {
      const lines = headerLines(replyHeaders({ headerLength }));
      this.#ok = Buffer.from(`HTTP/1.1 200 OK\r\n${lines}Content-Length: ${bodyBytes}\r\n${ending}`, 'latin1');
      this.#okEnding = ending;
      this.#okHeaderLength = headerLength;
      this.#okBodyBytes = bodyBytes;
    }
    return this.#ok;
  }

  /** Of an answer that says itself whether it is the last one; `headers` are names and values in turn. */
  status(status: number, headers: readonly string[]): string {
    const connection = headers.includes('Connection') ? '' : this.#keepAlive;
    return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headerLines(headers)}${dateLine()}${connection}\r\n`;
  }

  #end(): string {
    const { fixedHeaders } = this.#front;
    const second = Math.floor(Date.now() / 1_000);
    if (second !== this.#endingOf || fixedHeaders !== this.#endingHeaders) {
      this.#endingOf = second;
      this.#endingHeaders = fixedHeaders;
      const connection = this.isLast ? '' : this.#keepAlive;
      this.#ending = `${headerLines(fixedHeaders)}${dateLine()}${connection}\r\n`;
    }
    return this.#ending;
  }
}

function headerLines(headers: readonly string[]): string {
  let lines = '';
  for (let i = 0; i < headers.length; i += 2) lines += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return lines;
}

function dateLine(): string {
  return `Date: ${new Date().toUTCString()}\r\n`;
}
