import { benchOptions } from './bench/bench-flags.ts';
import type { OperandRow, OptionRow, VerbRow } from './verb.ts';

/** Every command of `skein`, in the order of the help text. */

const model: OperandRow = {
  name: 'MODEL',
  summary: 'name of a model, as `skein models` lists it',
  required: true,
  many: false,
  completes: 'nothing',
};

const json: Readonly<Record<string, OptionRow>> = {
  json: { value: undefined, summary: "print the server's JSON as it came, for programs" },
};

const modelStates = ['ready', 'loading', 'idle', 'failed', 'unloaded'] as const;
export const shells = ['bash', 'zsh', 'fish'] as const;

export const verbsTable = {
  serve: {
    summary: 'serve models from this machine: a router and its local backends',
    details:
      'Prints one line of JSON on stdout once it takes requests, {"ready":true,"http":"http://127.0.0.1:8000","grpc":…,"metrics":…}, and logs to stderr. SIGTERM or SIGINT drains it, a second one ends it.',
    settings: 'serve',
    operands: [
      {
        name: 'MODELS',
        summary: 'as --models: a model repository or an .onnx file',
        required: false,
        many: true,
        completes: 'files',
      },
    ],
    options: {},
    examples: [
      { command: 'skein serve --models ./models', shows: 'a repository, on the default ports' },
      { command: 'skein serve resnet50.onnx', shows: 'a single file, served as model `resnet50`' },
      { command: 'skein serve --models ./models --memory 4GiB --host 0.0.0.0', shows: 'a budget, beyond loopback' },
      { command: 'skein serve --config skein.json', shows: 'settings and external servers from a file' },
    ],
    load: () => import('./verbs/serve.ts'),
  },
  router: {
    summary: 'route requests to the backends of a fleet',
    details:
      'One of any number of routers that find their backends and models in etcd and agree without talking to each other. Prints a line of JSON once it takes requests. SIGTERM or SIGINT drains it, a second one ends it.',
    settings: 'router',
    operands: [],
    options: {},
    examples: [
      { command: 'skein router --registry etcd://10.0.0.1:2379 --host 0.0.0.0', shows: 'on the default ports' },
      {
        command: 'skein router --registry etcd://10.0.0.1:2379,10.0.0.2:2379 --link-token /etc/skein/token',
        shows: 'several members of etcd, and backends that have to prove themselves',
      },
    ],
    load: () => import('./verbs/router.ts'),
  },
  backend: {
    summary: 'hold models for the routers of a fleet',
    details:
      'Runs models from its --models directories, which every backend of the fleet has under the same names, and tells the catalogue of those it finds. SIGTERM or SIGINT moves its copies to other backends and ends it, a second one ends it at once.',
    settings: 'backend',
    operands: [],
    options: {},
    examples: [
      {
        command: 'skein backend --registry etcd://10.0.0.1:2379 --listen tcp://0.0.0.0:7001 --models /srv/models',
        shows: 'half of the memory of this host or container',
      },
    ],
    load: () => import('./verbs/backend.ts'),
  },
  ps: {
    summary: 'show the backends of a running server, and how busy they are',
    details: '',
    settings: 'ps',
    operands: [],
    options: json,
    examples: [{ command: 'skein ps', shows: 'the server on this machine' }],
    load: () => import('./verbs/ps.ts'),
  },
  models: {
    summary: 'list the models, what state they are in and where their copies are',
    details:
      'An idle model is known and loads when it is asked for; an unloaded one was taken out of service by `skein unload`.',
    settings: 'models',
    operands: [],
    options: { ...json, state: { value: 'STATE', choices: modelStates, summary: 'only models in this state' } },
    examples: [
      { command: 'skein models', shows: 'all that are known' },
      { command: 'skein models --state ready --json', shows: 'what is loaded, for a program' },
    ],
    load: () => import('./verbs/models.ts'),
  },
  load: {
    summary: 'load a model, or load it again where its files changed',
    details: 'Waits until the model is ready. An unloaded model is taken back into service.',
    settings: 'load',
    operands: [model],
    options: json,
    examples: [{ command: 'skein load ocr-direction', shows: 'a load, with the time that it is expected to take' }],
    load: () => import('./verbs/load.ts'),
  },
  unload: {
    summary: 'free every copy of a model and serve it no more until it is loaded again',
    details: '',
    settings: 'unload',
    operands: [model],
    options: json,
    examples: [{ command: 'skein unload ocr-direction', shows: 'requests for it are refused from now on' }],
    load: () => import('./verbs/unload.ts'),
  },
  explain: {
    summary: 'say why a model is where it is, and what would happen to a request for it now',
    details: 'Names every backend in the order in which the model prefers them, with what the placement makes of it.',
    settings: 'explain',
    operands: [model],
    options: json,
    examples: [{ command: 'skein explain ocr-direction', shows: 'why there, and what comes next' }],
    load: () => import('./verbs/explain.ts'),
  },
  plan: {
    summary: 'show which copies would move; changes nothing',
    details:
      'Without --drain: what would move if every copy were where placement would put it now. Copies that are placed legally stay where they are, so the list is often empty.',
    settings: 'plan',
    operands: [],
    options: { ...json, drain: { value: 'BACKEND', summary: 'as if this backend were drained' } },
    examples: [{ command: 'skein plan --drain b2', shows: 'what a restart of b2 would cost' }],
    load: () => import('./verbs/plan.ts'),
  },
  bench: {
    summary: 'measure how fast a running server answers for its models',
    details:
      "Makes requests from the models' metadata and sends them level after level: in a closed loop (--concurrency) or at a rate of its own (--rate), where each request is timed from when it was due. A level ends when three windows in a row agree, or after --max-windows. Works with any server of the Open Inference Protocol over HTTP; CPU is that of the server's processes, where they are on this machine. Exits with 1 where requests failed. gRPC means TensorFlow Serving's Predict so far; that of the Open Inference Protocol will come with its port.",
    settings: 'bench',
    operands: [
      {
        name: 'MODEL',
        summary: "name of a model, or a pattern such as 'line-*'",
        required: true,
        many: true,
        completes: 'nothing',
      },
    ],
    options: benchOptions,
    examples: [
      { command: 'skein bench resnet50', shows: 'with 1, 8 and 32 connections' },
      { command: 'skein bench resnet50 --rate 20,40,80 --chart latency.svg', shows: 'what users meet at these rates' },
      { command: 'skein bench ocr-direction --shape x=1,3,48,192 --body json', shows: 'a model of free dimensions' },
      { command: 'skein bench resnet50 --body grpc --grpc http://127.0.0.1:8001', shows: 'the same over gRPC' },
      {
        command: "skein bench 'line-*' --zipf 1.1 --concurrency 16",
        shows: 'many models, some asked more than others',
      },
      {
        command: 'skein bench resnet50 --url http://triton:8000 --csv triton.csv',
        shows: 'another server, for a table',
      },
    ],
    load: () => import('./verbs/bench.ts'),
  },
  engines: {
    summary: 'show which runtimes this installation has, and how to get what is missing',
    details: 'Opens each one as a backend would. Exits with 1 where none can be used.',
    settings: 'engines',
    operands: [],
    options: { json: { value: undefined, summary: 'print JSON, for programs' } },
    examples: [
      { command: 'skein engines', shows: 'version, library and execution providers' },
      {
        command: 'skein engines --onnxruntime-lib /opt/onnxruntime/lib/libonnxruntime.so',
        shows: 'whether another build works',
      },
    ],
    load: () => import('./verbs/engines.ts'),
  },
  version: {
    summary: 'print the version',
    details: '',
    settings: undefined,
    operands: [],
    options: { json: { value: undefined, summary: 'print JSON, for programs' } },
    examples: [{ command: 'skein version', shows: 'of Skein and of the Node that runs it' }],
    load: () => import('./verbs/version.ts'),
  },
  help: {
    summary: 'explain a command',
    details: '',
    settings: undefined,
    operands: [
      {
        name: 'COMMAND',
        summary: 'a command of this list',
        required: false,
        many: false,
        completes: [
          ...['serve', 'router', 'backend', 'ps', 'models', 'load', 'unload', 'explain', 'plan', 'bench'],
          ...['engines', 'version', 'help', 'completion'],
        ],
      },
    ],
    options: {},
    examples: [{ command: 'skein help serve', shows: 'every setting, with default and environment variable' }],
    load: () => import('./verbs/help.ts'),
  },
  completion: {
    summary: 'print a completion script for a shell',
    details: '',
    settings: undefined,
    operands: [
      {
        name: 'SHELL',
        summary: `one of ${shells.join(', ')}`,
        required: true,
        many: false,
        completes: shells,
      },
    ],
    options: {},
    examples: [
      { command: 'source <(skein completion bash)', shows: 'in ~/.bashrc' },
      { command: 'source <(skein completion zsh)', shows: 'in ~/.zshrc, after compinit' },
      { command: 'skein completion fish > ~/.config/fish/completions/skein.fish', shows: 'once' },
    ],
    load: () => import('./verbs/completion.ts'),
  },
} as const satisfies Record<string, VerbRow>;

export type VerbName = keyof typeof verbsTable;

export const verbNames = Object.keys(verbsTable) as VerbName[];

export function findVerb(name: string): VerbRow | undefined {
  return Object.hasOwn(verbsTable, name) ? verbsTable[name as VerbName] : undefined;
}
