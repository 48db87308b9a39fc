import type { CompletionSettings } from '../../../src/fleet/repository/complete-instances.ts';

/** What Triton fills in for ONNX models on a machine without a GPU. */
export const tritonCompletion: CompletionSettings = { defaultMaxBatchSize: 4, defaultInstanceCount: 2, hasGpu: false };
