// node on-small-disk.mjs serve … --state DIR …: the skein command with 8 MB of disk for its state, in a mount of its own.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const args = process.argv.slice(2);
const state = args[args.indexOf('--state') + 1];
const skein = join(import.meta.dirname, '../../../skein');
const script = 'mount -t tmpfs -o size=8m none "$1" && shift && exec "$@"';
const child = spawn('unshare', ['-rm', 'sh', '-c', script, 'sh', state, process.execPath, skein, ...args], {
  stdio: 'inherit',
});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code) => process.exit(code ?? 1));
