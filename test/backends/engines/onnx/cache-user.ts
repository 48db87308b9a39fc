/** A program: loads a model through a graph cache, runs it, and prints what came out. Arguments: cache directory, model. */

import { GraphCache } from '../../../../src/backends/engines/onnx/graph-cache.ts';
import { defaultSignatureName } from '../../../../src/protocol/tensors/named-signature.ts';
import { floatsOf, floatsTensor } from '../test-tensors.ts';
import { loadModel, testEngine } from './opened-engine.ts';

const [root, path] = process.argv.slice(2) as [string, string];
const engine = testEngine(new GraphCache(root, 2 ** 30));
const model = await loadModel(engine, path);
const [y] = await model.run(defaultSignatureName, [floatsTensor('x', [1, 1_024], Array(1_024).fill(1))], ['y']);
process.stdout.write(JSON.stringify({ y: floatsOf(y).slice(0, 4), warnings: engine.warnings }));
await model.unload();
