/**
 * A program to be supervised: its options are its last argument, as those of a backend process are. `id` says what it
 * does; it tells its number and process id in a file named by `address`, a line for each start.
 */
import { appendFileSync } from 'node:fs';

const { id, address, drainTimeoutMs } = JSON.parse(process.argv.at(-1)!) as {
  id: string;
  address: string;
  drainTimeoutMs: number;
};
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
process.on('SIGTERM', () => {
  if (id === 'stubborn') return;
  setTimeout(() => {
    appendFileSync(address, 'drained\n');
    process.exit(0);
  }, drainTimeoutMs / 2);
});
// Told last: whoever reads it may send a signal at once.
appendFileSync(address, `${process.pid} ${process.env['UV_THREADPOOL_SIZE']}\n`);
if (id === 'ends') process.exit(3);
if (id === 'aborts') process.abort();
if (id === 'idle') setTimeout(() => process.exit(0), 20);
if (id === 'shares') {
  process.send?.({ usedBytes: 100, queuedBytes: 700, evictionPrice: null });
  process.on('message', (order) => appendFileSync(address, `told ${JSON.stringify(order)}\n`));
}
if (id.startsWith('busy')) {
  process.send?.({ wantedCores: 2 });
  process.on('message', (order) => appendFileSync(address, `${id} told ${JSON.stringify(order)}\n`));
}
