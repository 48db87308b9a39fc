import { WireWriter } from '../../../protocol/protobuf/wire-writer.ts';

/** What of TensorFlow is the same for all sessions of a process: its pools and devices are made by the first. */
export interface TensorflowDevices {
  /** Threads of one operation, in the pool that all sessions share. */
  readonly intraOpThreads: number;
  /** Numbers of the GPUs to use, as TensorFlow counts them: `0,2`; empty: all. */
  readonly visibleGpus: string;
  /** GPU memory is taken as it is needed; else all of it at once. */
  readonly gpuGrowth: boolean;
  /** Most that the process may take of each GPU; 0: no bound. */
  readonly gpuMemoryBytes: number;
}

/** A ConfigProto. The operators of one run follow each other on the thread that runs it, unless they are large. */
export function sessionConfig(devices: TensorflowDevices): Buffer {
  const config = new WireWriter();
  config.int32(2, devices.intraOpThreads);
  config.int32(5, 1); // inter_op_parallelism_threads: runs stay on their own thread and hardly need it
  config.int32(7, 1); // allow_soft_placement: operators without a kernel for the GPU run on the CPU
  config.message(6, (gpu) => {
    gpu.int32(4, devices.gpuGrowth && devices.gpuMemoryBytes === 0 ? 1 : 0);
    if (devices.visibleGpus !== '') gpu.string(5, devices.visibleGpus);
    if (devices.gpuMemoryBytes > 0) {
      gpu.message(9, (experimental) => {
        experimental.message(1, (virtual) => virtual.float(1, devices.gpuMemoryBytes / 2 ** 20));
      });
    }
  });
  return config.joined();
}

/** RunOptions: `inter_op_thread_pool` -1 is the thread that calls. */
export function runOptions(): Buffer {
  const options = new WireWriter();
  options.int32(3, -1);
  return options.joined();
}

/** RunOptions of a run that tells what memory each operator took. */
export function tracedRunOptions(): Buffer {
  const options = new WireWriter();
  options.int32(1, 3); // FULL_TRACE
  options.int32(3, -1);
  return options.joined();
}
