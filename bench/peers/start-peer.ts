import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Peer {
  readonly port: number;
  readonly pid: number;
  stop(): void;
}

/** Starts one of the programs of this folder in a process of its own. */
export async function startPeer(file: string, ...args: (string | number)[]): Promise<Peer> {
  const child: ChildProcess = fork(fileURLToPath(new URL(file, import.meta.url)), args.map(String));
  const [port] = (await once(child, 'message')) as [number];
  return { port, pid: child.pid!, stop: () => child.disconnect() };
}
