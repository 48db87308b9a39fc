import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Peer, proxyKinds, startPeer, startProxy } from './peer.ts';

interface Proxies {
  readonly present: readonly Peer[];
  /** Why somebody is not there. */
  readonly notes: readonly string[];
}

/** Everybody that is put in front of a server in Node or beside it. */
export async function startProxies(targetPort: number): Promise<Proxies> {
  const present: Peer[] = [];
  const notes: string[] = [];
  try {
    present.push(await startPeer('http-proxy', 'http-proxy.ts', targetPort));
    const fault = installPeers();
    if (fault === undefined) present.push(await startPeer('http-proxy-3', 'http-proxy-3.ts', targetPort));
    else notes.push(`http-proxy-3 is absent: ${fault}`);
    present.push(await startPeer('undici', 'undici-proxy.ts', targetPort));
    for (const kind of proxyKinds) {
      const peer = await startProxy(kind, targetPort);
      if (peer === undefined)
        notes.push(`${kind} is absent: it is not installed on this machine (apt-get install ${kind}).`);
      else present.push(peer);
    }
    return { present, notes };
  } catch (fault) {
    for (const peer of present) peer.stop();
    throw fault;
  }
}

/** Packages that only the bench needs lie beside their programs. Answers why they are not there. */
function installPeers(): string | undefined {
  if (existsSync(join(import.meta.dirname, 'node_modules', 'http-proxy-3'))) return undefined;
  try {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return undefined;
  } catch (fault) {
    return `npm could not install it (${(fault as Error).message.split('\n', 1)[0]}).`;
  }
}
