import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

export interface TlsFiles {
  /** PEM. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface HttpAnswer {
  readonly status: number;
  /** Has to be read to its end, or the connection is not used again. */
  readonly body: IncomingMessage;
}

/** Connections to one endpoint; as many calls at once, the others wait. */
const maxSockets = 64;

/** Posts over connections that are kept. */
export class HttpPoster {
  readonly #http = new HttpAgent({ keepAlive: true, maxSockets });
  readonly #https: HttpsAgent;

  constructor(tls: TlsFiles = {}) {
    this.#https = new HttpsAgent({ keepAlive: true, maxSockets, ...tls });
  }

  /** Resolves with the head of the answer; the signal ends its body, too. */
  post(url: string, body: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
    const isTls = url.startsWith('https:');
    const options = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, signal };
    const onAnswer = (answer: IncomingMessage) => resolve({ status: answer.statusCode!, body: answer });
    const sent = isTls
      ? httpsRequest(url, { ...options, agent: this.#https }, onAnswer)
      : httpRequest(url, { ...options, agent: this.#http }, onAnswer);
    sent.on('error', (fault) => reject(signal.aborted ? signal.reason : fault));
    sent.end(body);
    return promise;
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

export async function textOf(body: IncomingMessage): Promise<string> {
  let text = '';
  // Piece by piece: one buffer for all of a long answer would leave a hole of its size in the C heap.
  for await (const piece of body.setEncoding('utf8')) text += piece as string;
  return text;
}
