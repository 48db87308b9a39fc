import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { WireRequest } from '../../src/cli/bench/lane.ts';
import { findProgram } from './peer.ts';

interface WrkTurn {
  readonly perSecond: number;
  readonly cpuUsPerRequest: number;
}

/** One turn of wrk with one thread; undefined where it is not installed. */
export async function wrkTurn(
  port: number,
  request: WireRequest,
  { connections, seconds }: { readonly connections: number; readonly seconds: number },
): Promise<WrkTurn | undefined> {
  const program = findProgram('wrk');
  if (program === undefined) return undefined;
  const directory = mkdtempSync(join(tmpdir(), 'skein-bench-'));
  try {
    const bytes = Buffer.concat([...request]);
    const script = join(directory, 'request.lua');
    writeFileSync(join(directory, 'request'), bytes);
    // The whole request as it goes out, head and all.
    writeFileSync(
      script,
      `local f = io.open('${directory}/request', 'rb')\nlocal all = f:read('*a')\nrequest = function() return all end\n`,
    );
    const before = childrenCpuMs();
    const { stdout } = await promisify(execFile)(program, [
      ...['-t1', `-c${connections}`, `-d${Math.max(1, Math.round(seconds))}s`, '-s', script],
      `http://127.0.0.1:${port}/`,
    ]);
    const cpuMs = childrenCpuMs() - before;
    const requests = Number(/(\d+) requests in/.exec(stdout)?.[1]);
    const perSecond = Number(/Requests\/sec: +([\d.]+)/.exec(stdout)?.[1]);
    if (!(requests > 0)) throw new Error(`wrk says\n${stdout}`);
    return { perSecond, cpuUsPerRequest: (cpuMs * 1_000) / requests };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** CPU of the children of this process that have ended, which Linux adds to their parent's account in ticks of 10 ms. */
function childrenCpuMs(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)!.split(' ');
  return (Number(fields[13]) + Number(fields[14])) * 10;
}
