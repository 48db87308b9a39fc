import type { SettingRow } from '../setting.ts';
import { hour, second } from './quantities.ts';

/** What is served, and where. */
export const servingSettings = {
  models: {
    flag: 'models',
    kind: 'paths',
    default: [],
    form: "a model repository in Triton's layout, or a model file",
    verbs: ['serve', 'backend'],
    summary:
      "model repositories in Triton's layout (<model>/<version>/model.onnx or model.savedmodel), or single models",
    why: 'Give it once for each; arguments without a flag count as well. All models in them are known at once and load when they are asked for. In the environment several are parted as in PATH.',
  },
  modelConfigFile: {
    flag: 'model-config-file',
    kind: 'path',
    default: '',
    form: "a file in TensorFlow Serving's text form: model_config_list { config { name: … base_path: … } }",
    verbs: ['serve'],
    summary: "TensorFlow Serving's model config file: models by name and base path",
    why: 'With version policies and labels. Read again when it changes, as often as repositories are looked at. Its models are served beside those of --models.',
  },
  host: {
    flag: 'host',
    kind: 'text',
    default: '127.0.0.1',
    form: 'an address of this machine, such as 127.0.0.1, 0.0.0.0 or ::',
    verbs: ['serve', 'router'],
    summary: 'address on which all ports listen',
    why: 'Beyond loopback everybody who reaches the port may ask for inferences and load or unload models: Skein has no log-in yet.',
  },
  httpPort: {
    flag: 'http',
    kind: 'port',
    default: 8000,
    verbs: ['serve', 'router'],
    summary: 'port of the Open Inference Protocol over HTTP and of /fleet; 0 picks a free one',
    why: "The default is Triton's. The line printed at the start names what was picked.",
  },
  grpcPort: {
    flag: 'grpc',
    kind: 'port',
    default: 8001,
    verbs: ['serve', 'router'],
    summary: "port of gRPC: TensorFlow Serving's PredictionService and ModelService; 0 picks a free one",
    why: "The default is Triton's; TensorFlow Serving's is 8500.",
  },
  metricsPort: {
    flag: 'metrics',
    kind: 'port',
    default: 8002,
    verbs: ['serve', 'router'],
    summary: 'port of the Prometheus metrics (GET /metrics); 0 picks a free one',
    why: "The default is Triton's.",
  },
  settingsFile: {
    flag: 'config',
    kind: 'path',
    default: '',
    form: 'a JSON file',
    inFile: false,
    verbs: ['serve'],
    summary: 'settings file: {"settings": {...}, "backends": [...]}',
    why: 'It declares external servers, too, which no flag does. Flags and the environment count before it.',
  },
  stateDir: {
    flag: 'state',
    kind: 'path',
    default: {
      text: '$XDG_STATE_HOME/skein, else $HOME/.local/state/skein, else .skein/state',
      of: ({ env }) => {
        if (env['XDG_STATE_HOME']) return `${env['XDG_STATE_HOME']}/skein`;
        return env['HOME'] ? `${env['HOME']}/.local/state/skein` : '.skein/state';
      },
    },
    form: 'a directory',
    verbs: ['serve', 'router', 'backend'],
    summary:
      'directory for what outlives the process: optimised graphs, what was measured of models, files sent by load calls',
    why: 'Its folder graphs can be deleted while nothing runs: the first load of each model is slow again then. Put it on a local disk, since loads map files from it.',
  },
  pin: {
    flag: 'pin',
    kind: 'text',
    default: '',
    form: 'names of models, parted by commas',
    verbs: ['serve', 'router'],
    summary: 'models that are never evicted, parted by commas',
    why: 'Pinned models keep their memory however little they are asked for: what is left for the others must still hold the largest of them.',
  },
  preload: {
    flag: 'preload',
    kind: 'choice',
    choices: ['none', 'pinned', 'all'],
    default: 'none',
    verbs: ['serve'],
    summary: 'models to load before the server says that it is ready',
    why: 'pinned: those of --pin. all: as many as fit; the start then takes as long as their loads, and the first request to each is fast.',
  },
  repositoryPollMs: {
    flag: 'repository-poll',
    kind: 'duration',
    min: 0,
    max: hour,
    zero: 'looks only when asked by a load',
    default: 5 * second,
    verbs: ['serve'],
    summary: 'in how long every model of the repositories is looked at once for changes',
    why: 'A round over 10,000 models costs some 60 ms of CPU where the repository lies on a local file system, half a second on another: go up for network file systems with thousands of models. Models that come or go are seen within half a second, a load call looks at its own model at once.',
  },
  allowOutsideLinks: {
    flag: 'allow-outside-links',
    kind: 'switch',
    default: false,
    verbs: ['serve'],
    summary: 'follow symbolic links that lead out of the model repository',
    why: 'Whoever can write into the repository can then have any file of this machine opened as a model.',
  },
} as const satisfies Record<string, SettingRow>;
