// `npm start`, after the install step: prepares the example models, serves them, and says what to try first.
// Arguments go to `skein serve` behind those given here, so that they count: `npm start -- --http 9000`.
import { spawn } from 'node:child_process';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { prepareExampleRepository } from '../examples/models/prepare.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const examples = join(root, '.skein', 'examples');

/** First requests, the one that shows most first: whichever model is there. */
const requests = [
  {
    model: 'ocr-direction',
    answer: 'It asks whether a line of text stands upright or upside down; data is the probability of each.',
  },
  { model: 'silero-vad', answer: 'It asks whether somebody speaks in 32 ms of sound; output is the probability.' },
  { model: 'add-sub', answer: 'It adds and subtracts two vectors.' },
];

const { models, missing } = prepareExampleRepository(examples);
for (const sentence of missing) say(sentence);

const defaults = ['--models', examples];
// A clone keeps its state to itself, and its log is read by a person; who says otherwise in the environment is heard.
if (!process.env.SKEIN_STATE) defaults.push('--state', join(root, '.skein', 'state'));
if (!process.env.SKEIN_LOG_FORMAT) defaults.push('--log-format', 'text');

const server = spawn(process.execPath, [join(root, 'skein'), 'serve', ...defaults, ...process.argv.slice(2)], {
  stdio: ['inherit', 'pipe', 'inherit'],
});

server.on('error', (fault) => {
  say(`cannot start the server: ${fault.message}`);
  process.exit(1);
});
createInterface({ input: server.stdout }).on('line', (line) => {
  process.stdout.write(`${line}\n`);
  if (line.startsWith('{"ready":true')) introduce(JSON.parse(line));
});
passSignalsOn(server);

/** On stderr: stdout has the server's own line, for programs. */
function introduce({ http, metrics }) {
  const request = requests.find(({ model }) => models.some(({ name }) => name === model));
  const body = relative(process.cwd(), join(root, 'examples', 'requests', `${request?.model}.json`));
  const skein = relative(process.cwd(), join(root, 'skein'));
  const command = skein.includes('/') ? skein : `./${skein}`;
  const url = http === 'http://127.0.0.1:8000' ? '' : ` --url ${http}`;
  const lines = [
    '',
    `Skein serves ${models.length} example models: ${models.map(({ name }) => name).join(', ')}`,
    `  Open Inference Protocol  ${http}/v2`,
    `  metrics                  ${metrics}/metrics`,
    '',
    ...(request === undefined
      ? []
      : ['Try one:', `  curl -s -d @${body} ${http}/v2/models/${request.model}/infer`, `${request.answer}`, '']),
    'See what it did (and `skein help` for more):',
    `  ${command} ps${url}`,
    `  ${command} models${url}`,
    '',
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
}

/** The server drains on the first signal and ends on the second: it must get each one once. */
function passSignalsOn(child) {
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) {
    process.on(signal, () => {
      // Ctrl-C in a terminal reaches every process of the group, the server among them.
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
    });
  }
  child.on('close', (code, signal) => {
    for (const passed of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.removeAllListeners(passed);
    if (signal !== null) process.kill(process.pid, signal);
    else process.exitCode = code ?? 1;
  });
}

function say(text) {
  process.stderr.write(`skein: ${text}\n`);
}
