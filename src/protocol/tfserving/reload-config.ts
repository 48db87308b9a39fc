import { SkeinError } from '../errors.ts';
import { WireReader } from '../protobuf/wire-reader.ts';
import { WireWriter } from '../protobuf/wire-writer.ts';
import type { ListedModel, ListedPolicy } from './listed-model.ts';

/** The model_config_list of a ReloadConfigRequest. */
export function decodeReloadConfig(message: Uint8Array): ListedModel[] {
  const reader = new WireReader([message]);
  let models: ListedModel[] | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) models = reader.message(readServerConfig);
    else reader.skip();
  }
  if (models === undefined) throw new SkeinError('reload_kind');
  return models;
}

function readServerConfig(reader: WireReader): ListedModel[] | undefined {
  let models: ListedModel[] | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) models = reader.message(readConfigList);
    else reader.skip();
  }
  return models;
}

function readConfigList(reader: WireReader): ListedModel[] {
  const models: ListedModel[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) models.push(reader.message(readModelConfig));
    else reader.skip();
  }
  return models;
}

/** The deprecated way of saying it: enum ModelType. */
const typeTensorflow = 1;

function readModelConfig(reader: WireReader): ListedModel {
  let [name, basePath, platform] = ['', '', ''];
  let versionPolicy: ListedPolicy | undefined;
  const labels = new Map<string, number>();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) name = reader.string();
    else if (field === 2) basePath = reader.string();
    else if (field === 3) platform = reader.int32() === typeTensorflow ? 'tensorflow' : 'other';
    else if (field === 4) platform = reader.string();
    else if (field === 7) versionPolicy = reader.message(readPolicy);
    else if (field === 8) {
      const [label, version] = reader.message(readLabel);
      labels.set(label, version);
    } else reader.skip();
  }
  return { name, basePath, platform, versionPolicy, labels };
}

function readPolicy(reader: WireReader): ListedPolicy | undefined {
  let policy: ListedPolicy | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 100) policy = { kind: 'latest', count: reader.message(readCount) };
    else if (field === 101) policy = reader.message(skipAll);
    else if (field === 102) policy = { kind: 'specific', versions: reader.message(readVersions) };
    else reader.skip();
  }
  return policy;
}

function readCount(reader: WireReader): number {
  let count = 1;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) count = Math.max(1, reader.int32());
    else reader.skip();
  }
  return count;
}

function skipAll(reader: WireReader): ListedPolicy {
  while (reader.next() !== 0) reader.skip();
  return { kind: 'all' };
}

function readVersions(reader: WireReader): number[] {
  const versions: number[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) reader.varints(() => versions.push(Number(reader.int64())));
    else reader.skip();
  }
  return versions;
}

function readLabel(reader: WireReader): [label: string, version: number] {
  let label = '';
  let version = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) label = reader.string();
    else if (field === 2) version = Number(reader.int64());
    else reader.skip();
  }
  return [label, version];
}

/** A ReloadConfigResponse that all went well. */
export function encodeReloadDone(): readonly Uint8Array[] {
  const writer = new WireWriter();
  writer.message(1, () => {});
  return writer.parts;
}
