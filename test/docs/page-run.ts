import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

const root = join(import.meta.dirname, '../..');
/** What a reader has in front of them in a clone. */
const inClone = ['skein', 'examples', 'scripts', 'src', 'node_modules', 'package.json'];
const readyMs = 60_000;
const commandMs = 60_000;

/** What a reader of a page would type, with the default ports moved to free ones. */
export class PageRun {
  readonly directory = mkdtempSync(join(tmpdir(), 'skein-page-'));
  #server: ChildProcess | undefined;
  #urls = { http: 'http://127.0.0.1:8000', metrics: 'http://127.0.0.1:8002' };

  constructor() {
    for (const name of inClone) symlinkSync(join(root, name), join(this.directory, name));
  }

  /** Runs one block; what it printed. A block that starts a server prints nothing and leaves it running. */
  async run(block: string): Promise<string> {
    const server = /^(npm start(?: --)?|\.\/skein serve)(.*)$/s.exec(block.trim());
    if (server !== null) {
      await this.#serve(server[1]!, server[2]!);
      return '';
    }
    const child = this.#spawn(this.#moved(block), ['ignore', 'pipe', 'pipe']);
    const timer = setTimeout(() => child.kill('SIGKILL'), commandMs);
    const [out, err, [code]] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'exit')]);
    clearTimeout(timer);
    if (code !== 0) throw new Error(`exit status ${code} of\n${block}\n${out}\n${err}`);
    return out;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server !== undefined && server.exitCode === null && server.signalCode === null) {
      const ended = once(server, 'exit');
      server.kill('SIGTERM');
      await Promise.race([ended, sleep(30_000, undefined, { ref: false })]);
      signalGroup(server, 'SIGKILL');
    }
    this.#server = undefined;
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #serve(command: string, args: string): Promise<void> {
    await this.stop();
    const program = command.startsWith('npm') ? 'node scripts/start.mjs' : command;
    const ports = `--http 0 --metrics 0 --grpc 0 --state ${join(this.directory, 'state')}`;
    const child = this.#spawn(`exec ${program} ${args.replace(/^ /, '')} ${ports}`, ['ignore', 'pipe', 'pipe']);
    this.#server = child;
    const err: string[] = [];
    createInterface({ input: child.stderr! }).on('line', (line) => err.push(line));
    const ready = new Promise<string>((resolve) => {
      createInterface({ input: child.stdout! }).on('line', (line) => line.startsWith('{"ready":true') && resolve(line));
    });
    const line = await Promise.race([
      ready,
      once(child, 'exit').then(() => undefined),
      sleep(readyMs, undefined, { ref: false }),
    ]);
    if (line === undefined) throw new Error(`it did not serve: ${command}${args}\n${err.join('\n')}`);
    this.#urls = JSON.parse(line);
  }

  #moved(block: string): string {
    return block
      .replaceAll('127.0.0.1:8000', new URL(this.#urls.http).host)
      .replaceAll('127.0.0.1:8002', new URL(this.#urls.metrics).host);
  }

  #spawn(script: string, stdio: ['ignore', 'pipe', 'pipe']): ChildProcess {
    const nodes = readdirSync(join(root, 'node_modules')).includes('node') ? [join(root, 'node_modules/node/bin')] : [];
    const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: this.directory,
      stdio,
      detached: true, // the leader of a group that can be ended as a whole
      env: { ...process.env, PATH: [...nodes, process.env['PATH']].join(delimiter), SKEIN_URL: this.#urls.http },
    });
    started.push(child);
    return child;
  }
}

/** Whatever happens, nothing outlives the test run. */
const started: ChildProcess[] = [];
process.on('exit', () => {
  for (const child of started) signalGroup(child, 'SIGKILL');
});

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // all of it has ended
  }
}
