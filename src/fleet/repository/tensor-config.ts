import type { Datatype } from '../../protocol/tensors/datatype.ts';
import type { MessageView } from './message-view.ts';
import type { ConfigInput, ConfigOutput, ConfigTensor, WarmupInput, WarmupSample } from './model-config.ts';

/** `TYPE_STRING` is BYTES on the wire; every other name is the datatype behind `TYPE_`. */
function datatypeOf(configName: string): Datatype {
  return configName === 'TYPE_STRING' ? 'BYTES' : (configName.replace('TYPE_', '') as Datatype);
}

export function configNameOf(datatype: Datatype): string {
  return datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`;
}

export function readConfigInput(view: MessageView): ConfigInput {
  return Object.freeze({
    ...readTensor(view),
    format: view.choice('format', 'FORMAT_NONE'),
    optional: view.flag('optional'),
  });
}

export function readConfigOutput(view: MessageView): ConfigOutput {
  return Object.freeze({ ...readTensor(view), labelFilename: view.text('label_filename') });
}

/** `dataType` may still be INVALID here; the checks that follow refuse it. */
function readTensor(view: MessageView): ConfigTensor {
  return {
    name: view.text('name'),
    dataType: datatypeOf(view.choice('data_type', 'TYPE_INVALID')),
    dims: Object.freeze(view.counts('dims')),
    ...(view.has('reshape') && { reshape: Object.freeze(view.message('reshape').counts('shape')) }),
  };
}

export function readWarmupSample(view: MessageView): WarmupSample {
  return Object.freeze({
    name: view.text('name'),
    batchSize: view.count('batch_size'),
    count: view.count('count') || 1,
    inputs: Object.freeze(view.entries('inputs').map(([name, input]) => readWarmupInput(name, input))),
  });
}

function readWarmupInput(name: string, view: MessageView): WarmupInput {
  return Object.freeze({
    name,
    dataType: datatypeOf(view.choice('data_type', 'TYPE_INVALID')),
    dims: Object.freeze(view.counts('dims')),
    data: Object.freeze(readWarmupData(view)),
  });
}

function readWarmupData(view: MessageView): WarmupInput['data'] {
  if (view.has('input_data_file')) return { kind: 'file', file: view.text('input_data_file') };
  return view.has('random_data') ? { kind: 'random' } : { kind: 'zero' };
}
