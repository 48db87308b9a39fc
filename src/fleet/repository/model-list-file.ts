import { SkeinError } from '../../protocol/errors.ts';
import type { ListedModel, ListedPolicy } from '../../protocol/tfserving/listed-model.ts';
import { enumOf, honoured, messageOf, part, refused, tuning } from './field-row.ts';
import { MessageView } from './message-view.ts';
import { readMessage } from './read-message.ts';
import { readTextProto } from './text-proto.ts';

const list = { many: 'list' } as const;
const choice = { oneof: 'policy_choice' } as const;

const policyFields = messageOf('ServableVersionPolicy', {
  latest: honoured(messageOf('Latest', { num_versions: part('uint32') }), 'the highest numbers', choice),
  all: honoured(messageOf('All', {}), 'every version', choice),
  specific: honoured(messageOf('Specific', { versions: part('int64', list) }), 'those named', choice),
});

const modelFields = messageOf('ModelConfig', {
  name: honoured('string', 'what clients call the model'),
  base_path: honoured('string', 'the directory of its versions'),
  model_type: honoured(enumOf('ModelType', ['MODEL_TYPE_UNSPECIFIED', 'TENSORFLOW', 'OTHER']), 'deprecated'),
  model_platform: honoured('string', 'the files decide'),
  logging_config: tuning('opaque', 'requests are not logged'),
  model_version_policy: honoured(policyFields, 'which versions are served'),
  version_labels: honoured('int64', 'names for versions', { many: 'map' }),
});

/** TensorFlow Serving's ModelServerConfig (config/model_server_config.proto). */
const serverFields = messageOf('ModelServerConfig', {
  model_config_list: honoured(messageOf('ModelConfigList', { config: part(modelFields, list) }), 'the models'),
  custom_model_config: refused('opaque', 'list the models in a model_config_list'),
});

interface ModelListFile {
  readonly models: readonly ListedModel[];
  /** What was written and has no effect. */
  readonly notices: readonly string[];
}

/** The text of a model config file. Throws `config_malformed` and `config_refused`, which name the place. */
export function parseModelListFile(text: string, file: string): ModelListFile {
  const notices: string[] = [];
  const source = { model: file, form: 'text' } as const;
  const message = readMessage(readTextProto(text, file), serverFields, source, ({ field, where, reason }) => {
    notices.push(`${field} at ${where} has no effect: ${reason}`);
  });
  const models = new MessageView(message).message('model_config_list').messages('config').map(listedModel);
  return { models, notices };
}

type ModelType = 'MODEL_TYPE_UNSPECIFIED' | 'TENSORFLOW' | 'OTHER';

function listedModel(view: MessageView): ListedModel {
  const type = view.choice<ModelType>('model_type', 'MODEL_TYPE_UNSPECIFIED');
  const platform = view.text('model_platform');
  if (platform !== '' && type !== 'MODEL_TYPE_UNSPECIFIED') {
    const reason = `Illegal setting both model_type (deprecated) and model_platform, model name is ${view.text('name')}`;
    throw new SkeinError('model_list', { reason });
  }
  const labels = Object.entries(view.pick(['version_labels'])['version_labels'] ?? {}) as [string, number][];
  return {
    name: view.text('name'),
    basePath: view.text('base_path'),
    platform: type === 'MODEL_TYPE_UNSPECIFIED' ? platform : type.toLowerCase(),
    versionPolicy: view.has('model_version_policy') ? listedPolicy(view.message('model_version_policy')) : undefined,
    labels: new Map(labels),
  };
}

function listedPolicy(view: MessageView): ListedPolicy | undefined {
  if (view.has('all')) return { kind: 'all' };
  if (view.has('specific')) return { kind: 'specific', versions: view.message('specific').counts('versions') };
  if (!view.has('latest')) return undefined;
  return { kind: 'latest', count: view.message('latest').count('num_versions') || 1 };
}
