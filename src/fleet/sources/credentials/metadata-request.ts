import { request } from 'node:http';

/** The services answer from this machine's own link: whoever has none should not wait for it. */
const timeoutMs = 1_000;
const mostBytes = 64 * 1024;

/** One small request to a metadata service. Undefined where nobody answers with 200. */
export function askMetadata(
  url: URL,
  method: 'GET' | 'PUT',
  headers: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const asked = request(url, { method, headers, agent: false, signal }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => {
        text += part;
        if (text.length > mostBytes) answer.destroy();
      });
      answer.on('error', () => resolve(undefined));
      answer.on('close', () => resolve(answer.complete && answer.statusCode === 200 ? text : undefined));
    });
    asked.on('error', () => resolve(undefined));
    asked.end();
  });
}
