import { benchOptions } from './bench/bench-flags.ts';
import { simOptions } from './sim/sim-flags.ts';
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
        summary: 'as --models: a model repository, an .onnx file, a SavedModel',
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
    details:
      'Requests in its copies are answered first. A restart of the server serves it again. In a fleet it holds for the router that is asked: `skein remove` takes a model from all.',
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
      "Makes requests from the models' metadata and sends them level after level: in a closed loop (--concurrency) or at a rate of its own (--rate), where each request is timed from when it was due. A level ends when three windows in a row agree, or after --max-windows. Works with any server of the Open Inference Protocol over HTTP; CPU is that of the server's processes, where they are on this machine. Exits with 1 where requests failed. gRPC is TensorFlow Serving's Predict.",
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
  drain: {
    summary: 'move every copy of a backend elsewhere, so that it can be stopped',
    details:
      'Prints what will move first. Copies are loaded elsewhere and serve there before they leave, so that no request waits for it. The order outlives the backend: `--undo` takes it back. Exits with 1 where copies found no other place.',
    settings: 'drain',
    operands: [
      { name: 'BACKEND', summary: 'as `skein ps` lists it', required: true, many: false, completes: 'nothing' },
    ],
    options: {
      ...json,
      plan: { value: undefined, summary: 'only print what would move' },
      undo: { value: undefined, summary: 'let the backend take models again' },
    },
    examples: [
      { command: 'skein drain b2', shows: 'the plan, then how it goes' },
      { command: 'skein drain --plan b2', shows: 'moves, bytes and estimated time; changes nothing' },
    ],
    load: () => import('./verbs/drain.ts'),
  },
  register: {
    summary: "put a model into the fleet's catalogue, or change what is said of it",
    details:
      'Backends look for its files below their --models directories. They tell the catalogue of the models at the top of those by themselves; this is for others, and for requirements and numbers of copies.',
    settings: 'register',
    operands: [model],
    options: {
      ...json,
      path: { value: 'PATH', summary: 'its directory, relative to the model directories; by default its name' },
      source: { value: 'URL', summary: 'where backends fetch it: a model file, or a list as sha256sum writes it' },
      sha256: { value: 'DIGEST', summary: 'SHA-256 of what --source names' },
      versions: { value: 'LIST', summary: 'versions that --source has, parted by commas; by default 1' },
      engine: { value: 'NAME', summary: 'onnx or tensorflow; by default onnx' },
      requires: { value: 'LABELS', summary: 'labels that a backend must carry: gpu=a100' },
      tolerates: { value: 'TAINTS', summary: 'taints that it puts up with, parted by commas' },
      pin: { value: undefined, summary: 'never evict it' },
      'min-copies': { value: 'N', summary: 'copies that are kept whether anybody asks or not' },
      'max-copies': { value: 'N', summary: 'copies at most; 0: as many as there are backends' },
    },
    examples: [
      { command: 'skein register ranker --path ranking/v7', shows: 'a model that lies deeper' },
      { command: 'skein register ranker --requires gpu=a100 --min-copies 2', shows: 'where, and how many' },
      {
        command: 'skein register scorer --source s3://models/scorer/SHA256SUMS --sha256 9f86d0…',
        shows: 'a model that backends fetch',
      },
    ],
    load: () => import('./verbs/register.ts'),
  },
  remove: {
    summary: "take a model or an alias out of the fleet's catalogue",
    details: 'Its copies leave. Its files stay; a backend that sees them change tells of them again.',
    settings: 'remove',
    operands: [model],
    options: json,
    examples: [{ command: 'skein remove ranker', shows: 'requests for it are refused from now on' }],
    load: () => import('./verbs/remove.ts'),
  },
  alias: {
    summary: 'give a model a further name, or split the requests for a name among several',
    details:
      'A target is MODEL, MODEL@VERSION or MODEL@LABEL; =WEIGHT gives it its share. The whole list is replaced each time.',
    settings: 'alias',
    operands: [
      { name: 'NAME', summary: 'the name that clients use', required: true, many: false, completes: 'nothing' },
      {
        name: 'TARGET',
        summary: 'where it leads, and with what weight',
        required: true,
        many: true,
        completes: 'nothing',
      },
    ],
    options: json,
    examples: [
      { command: 'skein alias ranking ranker', shows: 'a second name' },
      { command: 'skein alias ranking ranker@3=95 ranker@4=5', shows: 'one of twenty requests for the new version' },
    ],
    load: () => import('./verbs/alias.ts'),
  },
  label: {
    summary: 'give a version of a model a name',
    details: 'Without VERSION the label is taken away.',
    settings: 'label',
    operands: [
      model,
      { name: 'LABEL', summary: 'stable, canary', required: true, many: false, completes: 'nothing' },
      { name: 'VERSION', summary: 'the version it stands for', required: false, many: false, completes: 'nothing' },
    ],
    options: json,
    examples: [{ command: 'skein label ranker stable 3', shows: 'ranker@stable is version 3 from now on' }],
    load: () => import('./verbs/label.ts'),
  },
  registry: {
    summary: 'decide about a registry that has lost what it held',
    details:
      'Until then routers and backends go on with what they know, and take no changes. `restore` writes what the asked router knows back; `accept` takes the registry as it is now.',
    settings: 'registry',
    operands: [
      {
        name: 'DECISION',
        summary: 'restore or accept',
        required: true,
        many: false,
        completes: ['restore', 'accept'],
      },
    ],
    options: json,
    examples: [{ command: 'skein registry restore', shows: 'after etcd came back empty' }],
    load: () => import('./verbs/registry.ts'),
  },
  token: {
    summary: "print a backend's own key, made from the fleet's secret",
    details: 'A backend whose --link-token is this key can announce itself under this name and no other.',
    settings: undefined,
    operands: [
      { name: 'FILE', summary: "the fleet's secret", required: true, many: false, completes: 'files' },
      { name: 'BACKEND', summary: 'the --id of the backend', required: true, many: false, completes: 'nothing' },
    ],
    options: {},
    examples: [{ command: 'skein token fleet-secret b1 > b1.key', shows: 'for the host of b1' }],
    load: () => import('./verbs/token.ts'),
  },
  sim: {
    summary: 'replay a trace against the real policies on a virtual clock: what a fleet would do',
    details:
      "Placement, holding, loading, eviction, copies for load, moves after a join and routing are the code that serves; time, network and runs are figures of the flags. The same flags and seed give the same figures everywhere. Batches are not simulated. A recorded trace has the columns of Azure Functions' invocation counts, or lines of MILLISECONDS,MODEL.",
    settings: undefined,
    operands: [],
    options: simOptions,
    examples: [
      { command: 'skein sim', shows: '900 models for 300 places on three nodes' },
      { command: 'skein sim --nodes 4 --places 60', shows: 'whether a fourth node, or more memory, is worth it' },
      {
        command: 'skein sim --models 300 --places 150 --event join@60s --event drain:b1@2m',
        shows: 'moves and waits when nodes come and go',
      },
      { command: 'skein sim --routers 4 --skew 500ms --bursts 5', shows: 'what routers load twice, and tails' },
      { command: 'skein sim --trace azure --models 5000 --nodes 20 --json', shows: 'a shape of Azure Functions' },
    ],
    load: () => import('./verbs/sim.ts'),
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
          ...['drain', 'register', 'remove', 'alias', 'label', 'registry', 'token', 'sim'],
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
