import type { SettingRow } from '../setting.ts';
import { gib } from './quantities.ts';

/** ONNX Runtime and what it runs on. */
export const engineSettings = {
  provider: {
    flag: 'provider',
    kind: 'choice',
    choices: ['cpu', 'cuda', 'tensorrt', 'webgpu'],
    default: 'cpu',
    verbs: ['serve', 'backend'],
    summary: 'execution provider of all models; what it cannot do itself runs on the CPU',
    why: '`skein engines` prints which the installed library has. A library for CUDA is named with onnxruntime-lib.',
  },
  providerDevice: {
    flag: 'provider-device',
    kind: 'count',
    min: 0,
    max: 63,
    default: 0,
    verbs: ['serve', 'backend'],
    summary: 'number of the GPU',
    why: 'Counts for cuda and tensorrt.',
  },
  providerMemoryBytes: {
    flag: 'provider-memory',
    kind: 'bytes',
    min: 0,
    max: 1024 * gib,
    zero: "the runtime's own default",
    default: 0,
    verbs: ['serve', 'backend'],
    summary: "bound on a model's arena on the GPU (cuda), or on its work space (tensorrt)",
    why: 'It holds for each loaded model, not for all of them together.',
  },
  providerFallback: {
    flag: 'provider-fallback',
    kind: 'choice',
    choices: ['refuse', 'cpu'],
    default: 'refuse',
    verbs: ['serve', 'backend'],
    summary: 'what to do where the provider cannot be used: refuse the load, or run on the CPU and log it',
    why: 'A model that silently runs on the CPU is slow in a way that is hard to find: a refusal is seen at once.',
  },
  onnxruntimeLib: {
    flag: 'onnxruntime-lib',
    kind: 'path',
    default: { text: 'the one in the npm package onnxruntime-node', of: () => '' },
    form: 'a libonnxruntime of 1.23 or newer',
    verbs: ['serve', 'engines', 'backend'],
    summary: 'shared library of ONNX Runtime',
    why: 'For builds with CUDA, TensorRT or ROCm. Graphs are cached per version.',
  },
} as const satisfies Record<string, SettingRow>;
