/**
 * node examples/models/write-bench-models.ts OUTDIR
 *
 * Writes the models that the benches serve, as a repository in Triton's layout: an identity of 16 floats, where only the
 * way through the server costs anything, `glance`, which takes an image and looks at eight numbers of it, so that the way of
 * a large body is what costs, and MobileNetV2 and ResNet-50, where the model does.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mobileNetV2 } from './mobilenet-v2.ts';
import { GraphBuilder } from './onnx-writer/graph-builder.ts';
import { encodeModel } from './onnx-writer/model.ts';
import { int64s } from './onnx-writer/tensor.ts';
import { resNet50 } from './resnet-50.ts';

/** `input` FP32 [N,16] to an equal `output`. */
function identity16(): GraphBuilder {
  const graph = new GraphBuilder('identity');
  graph.node('Identity', [graph.input('input', 'float', ['N', 16])], {}, { outputs: ['output'] });
  graph.output('output', 'float', ['N', 16]);
  return graph;
}

/** `input` FP32 [N,3,224,224] to its first eight numbers, as FP32 [N,1,1,8]. */
function glance(): GraphBuilder {
  const graph = new GraphBuilder('glance');
  const image = graph.input('input', 'float', ['N', 3, 224, 224]);
  const [from, to, axes] = [
    [0, 0, 0],
    [1, 1, 8],
    [1, 2, 3],
  ].map((values) => graph.constant(int64s(values))) as [string, string, string];
  graph.node('Slice', [image, from, to, axes], {}, { outputs: ['output'] });
  graph.output('output', 'float', ['N', 1, 1, 8]);
  return graph;
}

const benchModels = {
  identity: { build: identity16, input: '16', output: '16', maxBatchSize: 64 },
  glance: { build: glance, input: '3, 224, 224', output: '1, 1, 8', maxBatchSize: 8 },
  mobilenet: { build: mobileNetV2, input: '3, 224, 224', output: '1000', maxBatchSize: 8 },
  resnet50: { build: resNet50, input: '3, 224, 224', output: '1000', maxBatchSize: 8 },
} as const;

export type BenchModel = keyof typeof benchModels;

export function writeBenchModels(repository: string, names = Object.keys(benchModels) as BenchModel[]): void {
  for (const name of names) {
    const { build, input, output, maxBatchSize } = benchModels[name];
    mkdirSync(join(repository, name, '1'), { recursive: true });
    writeFileSync(join(repository, name, '1', 'model.onnx'), encodeModel(build()));
    writeFileSync(
      join(repository, name, 'config.pbtxt'),
      `name: "${name}"
backend: "onnxruntime"
max_batch_size: ${maxBatchSize}
input [ { name: "input" data_type: TYPE_FP32 dims: [ ${input} ] } ]
output [ { name: "output" data_type: TYPE_FP32 dims: [ ${output} ] } ]
dynamic_batching { }
`,
    );
  }
}

if (import.meta.main) {
  const [repository] = process.argv.slice(2);
  if (repository === undefined) {
    process.stderr.write('usage: node examples/models/write-bench-models.ts OUTDIR\n');
    process.exitCode = 2;
  } else {
    writeBenchModels(repository);
    process.stdout.write(`${Object.keys(benchModels).join(', ')} are in ${repository}\n`);
  }
}
