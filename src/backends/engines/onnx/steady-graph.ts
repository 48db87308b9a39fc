import { readFile, stat } from 'node:fs/promises';
import { WireReader } from '../../../protocol/protobuf/wire-reader.ts';

/** Graphs of more bytes, weights apart, take longer than anybody asks this for. */
const mostBytes = 256 * 1024;

/**
 * Operators whose time follows from the shapes of what they are given, and whose outputs have no more elements than their
 * shapes say: no loop, nothing that is as long as a number in the data says, nothing of strings.
 */
const steadyOperators = new Set(
  [
    'Abs Acos Acosh Add And Asin Asinh Atan Atanh AveragePool BatchNormalization BitShift Cast Ceil Celu Clip Concat Constant',
    'Conv Cos Cosh CumSum DequantizeLinear Div Dropout DynamicQuantizeLinear Elu Equal Erf Exp Flatten Floor Gather',
    'GatherElements Gelu Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual HardSigmoid HardSwish Identity IsInf IsNaN',
    'LRN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax MatMul MatMulInteger Max MaxPool Mean Min Mish Mod Mul',
    'Neg Not Or PRelu Pow QLinearConv QLinearMatMul QuantizeLinear Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp',
    'ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Round Selu Shape Sigmoid Sign Sin Sinh',
    'Softmax Softplus Softsign Split Sqrt Squeeze Sub Sum Tan Tanh ThresholdedRelu Transpose Unsqueeze Where Xor ArgMax ArgMin',
    // of ONNX-ML and of ONNX Runtime's optimiser
    'Binarizer LinearClassifier LinearRegressor Normalizer Scaler TreeEnsembleClassifier TreeEnsembleRegressor',
    'BiasGelu FastGelu FusedConv FusedGemm FusedMatMul QuickGelu',
  ].flatMap((names) => names.split(' ')),
);

const knownDomains = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft']);

/** Whether runs of a graph take as long as the shapes of their inputs say, whatever is in them. False where it cannot be told. */
export async function isSteadyGraph(path: string): Promise<boolean> {
  try {
    if (path.endsWith('.ort') || (await stat(path)).size > mostBytes) return false;
    return isSteadyModel(await readFile(path));
  } catch {
    return false; // the runtime says what is wrong with it
  }
}

/** Fields of ModelProto: 7 is the graph, 25 a function of its own, whose name may be that of an operator. */
export function isSteadyModel(bytes: Uint8Array): boolean {
  const reader = new WireReader([bytes]);
  let isSteady = true;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 25) return false;
    if (field === 7) isSteady = reader.message(readGraph) && isSteady;
    else reader.skip();
  }
  return isSteady;
}

/** Field 1 of GraphProto: its nodes. */
function readGraph(reader: WireReader): boolean {
  let isSteady = true;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) isSteady = reader.message(readNode) && isSteady;
    else reader.skip();
  }
  return isSteady;
}

/** Fields of NodeProto: 4 is the operator, 7 its domain. */
function readNode(reader: WireReader): boolean {
  let operator = '';
  let domain = '';
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 4) operator = reader.string();
    else if (field === 7) domain = reader.string();
    else reader.skip();
  }
  return steadyOperators.has(operator) && knownDomains.has(domain);
}
