/**
 * What a request costs on its way: Skein (router, link, backend, ONNX Runtime) against the limit, bare node:http, and
 * against the proxy that is usually taken in Node, all in one run and in turns. CPU of the servers alone is counted.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeBenchModels } from '../examples/models/write-bench-models.ts';
import { processTree } from '../test/fixtures/process-tree.ts';
import { startSkein } from '../test/fixtures/skein-process.ts';
import { binaryRequest, closedLoop } from './closed-loop.ts';
import { cpuMs } from './cpu-time.ts';
import { startPeer } from './peers/start-peer.ts';

export interface PathRow {
  readonly server: string;
  readonly body: string;
  readonly connections: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuUsPerRequest: number;
}

const rounds = 3;

interface Contender {
  readonly name: string;
  readonly port: number;
  readonly pids: readonly number[];
}

export async function benchRequestPath(seconds: number): Promise<PathRow[]> {
  const repository = mkdtempSync(join(tmpdir(), 'skein-bench-'));
  writeBenchModels(repository, ['identity', 'mobilenet']);
  const skein = await startSkein({ repository });
  const bare = await startPeer('bare-http.ts', 200);
  const target = await startPeer('bare-http.ts', 200);
  const proxy = await startPeer('http-proxy.ts', target.port);
  try {
    const contenders: Contender[] = [
      { name: 'bare node:http (no hop)', port: bare.port, pids: [bare.pid] },
      { name: 'http-proxy alone, target not counted', port: proxy.port, pids: [proxy.pid] },
      {
        name: 'Skein: router, backend and engine',
        port: Number(new URL(skein.http).port),
        pids: processTree(skein.pid).map(({ pid }) => pid),
      },
    ];
    const rows: PathRow[] = [];
    for (const connections of [1, 16, 64]) {
      rows.push(
        ...(await measure(contenders, { body: 'identity, 64 bytes', connections, request: identityRequest }, seconds)),
      );
    }
    rows.push(
      ...(await measure(contenders, { body: 'image, 602 kB', connections: 16, request: imageRequest }, seconds)),
    );
    return rows;
  } finally {
    for (const peer of [bare, target, proxy]) peer.stop();
    await skein.stop();
    rmSync(repository, { recursive: true, force: true });
  }
}

const identityRequest = binaryRequest('/v2/models/identity/infer', 'input', [1, 16]);
const imageRequest = binaryRequest('/v2/models/mobilenet/infer', 'input', [1, 3, 224, 224]);

async function measure(
  contenders: readonly Contender[],
  load: { body: string; connections: number; request: Buffer },
  seconds: number,
): Promise<PathRow[]> {
  const all = contenders.map((): PathRow[] => []);
  for (let round = -1; round < rounds; round++) {
    for (const [i, { name, port, pids }] of contenders.entries()) {
      const before = cpuMs(pids);
      const result = await closedLoop(
        { port, request: load.request },
        { connections: load.connections, seconds: round < 0 ? 1 : seconds },
      );
      if (result.failed > 0) throw new Error(`${name}: ${result.failed} of ${result.requests} requests failed`);
      const cpuUsPerRequest = ((cpuMs(pids) - before) * 1000) / result.requests;
      if (round < 0) continue; // the first is a warm-up
      const { body, connections } = load;
      const { perSecond, p50Ms, p99Ms } = result;
      all[i]!.push({ server: name, body, connections, perSecond, p50Ms, p99Ms, cpuUsPerRequest });
    }
  }
  return all.map(
    (rows) => [...rows].sort((a, b) => a.cpuUsPerRequest - b.cpuUsPerRequest)[Math.floor(rows.length / 2)]!,
  );
}
