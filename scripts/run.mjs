// The first command on a fresh clone: installs what is missing or stale, then runs the asked step on the right Node.
// Plain JavaScript for any Node >= 18, because nothing is installed yet when it starts.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, 'node_modules', '.skein-installed');
const localNode = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

// Tests and benches use ONNX Runtime in their own processes, too; it would tell its makers.
const quiet = { ORT_DISABLE_TELEMETRY: '1' };

function run(command, args, env = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...quiet, ...env } });
  if (result.error) throw result.error;
  return result.status ?? 1;
}

function lockDigest() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

function installIfStale() {
  const wanted = lockDigest();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted && existsSync(localNode)) return;
  process.stderr.write('skein: installing dependencies from the npm registry (once, about a minute)\n');
  // onnxruntime-node would fetch CUDA libraries from elsewhere after its install: the package's own library is enough.
  const status = run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    ONNXRUNTIME_NODE_INSTALL: 'skip',
  });
  if (status !== 0) {
    process.stderr.write('skein: npm ci failed; the message above says why. A first start needs the npm registry.\n');
    process.exit(status);
  }
  // npm 12 runs no install scripts unless asked, and the package `node` fetches its binary package in one.
  if (!existsSync(localNode)) run('npm', ['rebuild', 'node', '--foreground-scripts', '--ignore-scripts=false']);
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, wanted);
}

const bin = (name) => join(root, 'node_modules', '.bin', name);
const node = (...args) => run(existsSync(localNode) ? localNode : process.execPath, args);

const check = () =>
  run(bin('tsc'), ['--noEmit', '-p', '.']) ||
  run(bin('biome'), ['check', '--error-on-warnings']) ||
  node('--test', 'test/architecture.test.ts');
const fastTests = () => node('--expose-gc', '--test', '--test-concurrency=2', 'test/**/*.test.ts');
/**
 * One suite after the other, so that none disturbs another's timings. A bar of time can be missed on a machine that is
 * busy with something else for a moment: a suite that fails is run once more at the end, and must pass then.
 */
function slowTests(args) {
  const isExcept = args[0] === '--except';
  const names = isExcept ? args.slice(1) : args;
  const isNamed = (file) => names.some((name) => file.startsWith(name));
  const suites = readdirSync(join(root, 'test/slow'))
    .filter((file) => file.endsWith('.slow.ts') && (names.length === 0 || isNamed(file) !== isExcept))
    .sort();
  const slowTest = (file) => node('--expose-gc', '--test', join('test/slow', file));
  const again = suites.filter((file) => slowTest(file) !== 0);
  if (again.length > 0) process.stderr.write(`skein: once more, after a failure: ${again.join(', ')}\n`);
  const failed = again.filter((file) => slowTest(file) !== 0);
  if (failed.length > 0) process.stderr.write(`skein: failed twice: ${failed.join(', ')}\n`);
  return failed.length === 0 ? 0 : 1;
}

const steps = {
  start: (args) => node('scripts/start.mjs', ...args),
  test: () =>
    run(bin('tsc'), ['--noEmit', '-p', '.']) || run(bin('biome'), ['check', '--error-on-warnings']) || fastTests(),
  'test-slow': slowTests,
  check,
  format: () => run(bin('biome'), ['check', '--write']),
  bench: (args) => node('--expose-gc', 'bench/run.ts', ...args),
  chaos: (args) => node('test/chaos/run.ts', ...args),
  build: () => run(bin('tsc'), ['-p', 'tsconfig.build.json']),
};

const [name, ...args] = process.argv.slice(2);
const step = steps[name];
if (!step) {
  process.stderr.write(`run.mjs: '${name}' is not a step; there are ${Object.keys(steps).join(', ')}\n`);
  process.exit(2);
}
installIfStale();
process.exit(step(args));
