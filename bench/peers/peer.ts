import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readTreeCpu } from '../../src/cli/bench/server-cpu.ts';
import type { Contender } from '../frame/turns.ts';

/** A server in a process of its own. */
export interface Peer extends Contender {
  readonly pid: number;
  stop(): void;
}

/** A program of this folder, which sends the port that it listens on. */
export async function startPeer(name: string, file: string, ...args: readonly (string | number)[]): Promise<Peer> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args.map(String), {
    execArgv: ['--no-deprecation'], // http-proxy uses what Node would rather not have
  });
  const [port] = (await Promise.race([once(child, 'message'), endOf(child, name)])) as [number];
  return peerOf(name, port, child, () => child.disconnect());
}

/** A program of the system in front of the server at `targetPort`; undefined where it is not installed. */
export async function startProxy(kind: ProxyKind, targetPort: number): Promise<Peer | undefined> {
  const { program, file, config, args } = proxies[kind];
  const path = findProgram(program);
  if (path === undefined) return undefined;
  const directory = mkdtempSync(join(tmpdir(), 'skein-bench-'));
  const port = await freePort();
  writeFileSync(join(directory, file), config(port, targetPort, directory));
  const child = spawn(path, args(join(directory, file), directory), { stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    await Promise.race([listening(port), endOf(child, program)]);
  } catch (fault) {
    child.kill();
    throw fault;
  }
  return peerOf(program, port, child, () => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });
}

interface ProxyProgram {
  readonly program: string;
  readonly file: string;
  readonly config: (port: number, targetPort: number, directory: string) => string;
  readonly args: (file: string, directory: string) => string[];
}

export const proxyKinds = ['haproxy', 'nginx'] as const;
type ProxyKind = (typeof proxyKinds)[number];

/** One thread each, as the router has; connections to the target are kept. */
const proxies: Readonly<Record<ProxyKind, ProxyProgram>> = {
  haproxy: {
    program: 'haproxy',
    file: 'haproxy.cfg',
    config: (port, targetPort) => `global
  nbthread 1
  maxconn 2000
defaults
  mode http
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend in
  bind 127.0.0.1:${port}
  default_backend out
backend out
  server target 127.0.0.1:${targetPort}
`,
    args: (file) => ['-db', '-f', file],
  },
  nginx: {
    program: 'nginx',
    file: 'nginx.conf',
    config: (port, targetPort, directory) => `daemon off;
master_process off;
pid ${directory}/nginx.pid;
error_log stderr error;
events { worker_connections 2000; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_max_body_size 100m;
  client_body_buffer_size 1m;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  upstream target { server 127.0.0.1:${targetPort}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://target;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_request_buffering off;
    }
  }
}
`,
    args: (file, directory) => ['-p', directory, '-c', file],
  },
};

/** System folders are looked through, too: a user's path often lacks those of servers. */
export function findProgram(program: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

function peerOf(name: string, port: number, child: ChildProcess, stop: () => void): Peer {
  const pid = child.pid!;
  const onExit = () => child.kill('SIGKILL');
  process.once('exit', onExit);
  return {
    name,
    port,
    pid,
    cpu: () => readTreeCpu([pid]),
    stop: () => {
      process.off('exit', onExit);
      stop();
    },
  };
}

async function endOf(child: ChildProcess, name: string): Promise<never> {
  const [code] = (await once(child, 'exit')) as [number | null];
  throw new Error(`${name} ended with ${code} before it listened`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await sleep(20);
    } finally {
      socket.destroy();
    }
  }
}
