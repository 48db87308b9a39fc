/** How much a copy will hold, before it was ever loaded. A measurement replaces this after the first load. */

type ModelFormat = 'onnx' | 'ort' | 'savedmodel' | 'echo';

interface Factor {
  readonly perFileByte: number;
  readonly fixedBytes: number;
}

const mebibyte = 2 ** 20;

/**
 * Above what was measured, because an estimate that is too low overruns the budget, and one that is too high costs an
 * eviction once. ONNX Runtime holds ResNet-50 (102 MB) in 124 to 131 MB, prepacked weights included; of an `.ort` file
 * the weights are used where they lie.
 */
const factors: Readonly<Record<ModelFormat, Factor>> = {
  onnx: { perFileByte: 1.35, fixedBytes: 4 * mebibyte },
  ort: { perFileByte: 1.2, fixedBytes: 4 * mebibyte },
  savedmodel: { perFileByte: 2, fixedBytes: 32 * mebibyte },
  echo: { perFileByte: 1, fixedBytes: 0 },
};

/** `fileBytes` counts all files of the version, external data included. */
export function estimateResidentBytes(format: ModelFormat, fileBytes: number): number {
  const { perFileByte, fixedBytes } = factors[format];
  return Math.ceil(perFileByte * fileBytes + fixedBytes);
}
