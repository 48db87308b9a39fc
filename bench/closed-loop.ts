import { connect, type Socket } from 'node:net';

export interface LoopResult {
  readonly requests: number;
  readonly failed: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** So many connections, each with one request under way, for so long. Answers must carry a Content-Length. */
export async function closedLoop(
  at: { port: number; request: Buffer },
  { connections, seconds }: { connections: number; seconds: number },
): Promise<LoopResult> {
  const latencies: number[] = [];
  let failed = 0;
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  await Promise.all(
    Array.from({ length: connections }, () =>
      keepAsking(at, endMs, (ms, ok) => {
        latencies.push(ms);
        if (!ok) failed++;
      }),
    ),
  );
  const tookMs = performance.now() - startMs;
  latencies.sort((a, b) => a - b);
  const at99 = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return {
    requests: latencies.length,
    failed,
    perSecond: (latencies.length * 1000) / tookMs,
    p50Ms: at99(0.5),
    p99Ms: at99(0.99),
  };
}

function keepAsking(
  { port, request }: { port: number; request: Buffer },
  endMs: number,
  onAnswer: (ms: number, ok: boolean) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let head = '';
    let bodyLeft = -1;
    let sentMs = 0;
    const ask = () => {
      sentMs = performance.now();
      socket.write(request);
    };
    const answered = () => {
      onAnswer(performance.now() - sentMs, head.startsWith('HTTP/1.1 200'));
      head = '';
      bodyLeft = -1;
      if (performance.now() < endMs) ask();
      else socket.end(() => resolve());
    };
    socket.once('connect', ask);
    socket.once('error', reject);
    socket.on('data', (chunk) => {
      let used = 0;
      if (bodyLeft < 0) {
        const text = head + chunk.toString('latin1');
        const end = text.indexOf('\r\n\r\n');
        if (end < 0) {
          head = text;
          return;
        }
        used = end + 4 - head.length;
        head = text.slice(0, end);
        bodyLeft = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
      }
      bodyLeft -= chunk.length - used;
      if (bodyLeft === 0) answered();
    });
  });
}

/** A V2 request with one FP32 input in binary form, as bytes on the wire. */
export function binaryRequest(path: string, input: string, shape: readonly number[]): Buffer {
  const tensor = Buffer.alloc(4 * shape.reduce((a, b) => a * b, 1));
  const json = JSON.stringify({
    inputs: [{ name: input, datatype: 'FP32', shape, parameters: { binary_data_size: tensor.length } }],
    parameters: { binary_data_output: true },
  });
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: bench',
    'Content-Type: application/octet-stream',
    `Inference-Header-Content-Length: ${json.length}`,
    `Content-Length: ${json.length + tensor.length}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n${json}`), tensor]);
}
