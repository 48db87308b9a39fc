import type { SettingRow } from '../setting.ts';
import { gib, hour, second } from './quantities.ts';

/** TensorFlow and what it runs on. */
export const tensorflowSettings = {
  tensorflowLib: {
    flag: 'tensorflow-lib',
    kind: 'path',
    default: {
      text: "the one in npm's @tensorflow/tfjs-node-gpu or tfjs-node, or the one of python3's tensorflow",
      of: () => '',
    },
    form: 'a libtensorflow of 2.9 or newer, or the folder that it lies in',
    verbs: ['serve', 'engines'],
    summary: 'shared library of TensorFlow',
    why: 'For a build of your own, with CUDA or for another processor. `skein engines` prints which is found.',
  },
  tensorflowFileOps: {
    flag: 'tensorflow-file-ops',
    kind: 'choice',
    choices: ['refuse', 'allow'],
    default: 'refuse',
    verbs: ['serve'],
    summary: 'SavedModels whose signatures open files or connections of this host',
    why: 'A graph is a program: ReadFile answers with any file that this process may read, WriteFile writes one. Allow it where you trust whoever made the models.',
  },
  tensorflowGpus: {
    flag: 'tensorflow-gpus',
    kind: 'text',
    default: '',
    form: 'numbers with commas between them',
    verbs: ['serve'],
    summary: 'GPUs that TensorFlow sees; all of them without it',
    why: 'Counts for a library that was built with CUDA.',
  },
  tensorflowGpuGrowth: {
    flag: 'tensorflow-gpu-growth',
    kind: 'choice',
    choices: ['on', 'off'],
    default: 'on',
    verbs: ['serve'],
    summary: 'take memory of the GPU as it is needed',
    why: 'Off, TensorFlow takes nearly all of it at its start, which leaves nothing to others and breaks it up less.',
  },
  tensorflowGpuMemoryBytes: {
    flag: 'tensorflow-gpu-memory',
    kind: 'bytes',
    min: 0,
    max: 1024 * gib,
    zero: 'no bound',
    default: 0,
    verbs: ['serve'],
    summary: 'most that TensorFlow takes of each GPU',
    why: 'It takes that much at its start, whatever tensorflow-gpu-growth says.',
  },
  engineIdleMs: {
    flag: 'engine-idle',
    kind: 'duration',
    min: second,
    max: hour,
    default: 30 * second,
    verbs: ['serve'],
    summary: 'how long the TensorFlow process stays when its last model is gone',
    why: 'Its runtime alone holds some 400 MB, and takes a second to start again.',
  },
} as const satisfies Record<string, SettingRow>;
