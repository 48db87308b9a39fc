import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  checkArchitecture,
  checkVersion,
  findTensorflow,
} from '../../../../src/backends/engines/tensorflow/tensorflow-library.ts';
import { temporaryDirectory } from '../../../fixtures/model-folder.ts';

describe('findTensorflow', () => {
  test('takes the folder of a wheel or of the package for C, and its library itself', (t) => {
    const wheel = temporaryDirectory(t);
    for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2', 'libother.so'])
      writeFileSync(join(wheel, name), '');
    const expected = {
      main: join(wheel, 'libtensorflow_cc.so.2'),
      framework: join(wheel, 'libtensorflow_framework.so.2'),
    };
    const { main, framework } = findTensorflow(wheel);
    assert.deepEqual({ main, framework }, expected);
    assert.equal(findTensorflow(expected.main).framework, expected.framework);
    const archive = temporaryDirectory(t);
    mkdirSync(join(archive, 'lib'));
    writeFileSync(join(archive, 'lib', 'libtensorflow.so.2.18.0'), '');
    assert.equal(findTensorflow(archive).framework, undefined);
  });

  test('says what is wrong with the place that the setting names', (t) => {
    const directory = temporaryDirectory(t);
    assert.throws(() => findTensorflow(directory), { code: 'engine_missing', message: /holds no libtensorflow/ });
    assert.throws(() => findTensorflow(join(directory, 'x')), { code: 'engine_missing', message: /is not there/ });
  });
});

describe('checkArchitecture', { skip: process.platform !== 'linux' }, () => {
  test('refuses what is no library, and a library for another processor, by name', (t) => {
    const path = join(temporaryDirectory(t), 'libtensorflow.so.2');
    writeFileSync(path, 'not a library at all');
    assert.throws(() => checkArchitecture(path), { code: 'engine_missing', message: /is no shared library/ });
    const head = Buffer.alloc(64);
    head.write('\x7fELF', 0, 'latin1');
    head.writeUInt16LE(process.arch === 'arm64' ? 0x3e : 0xb7, 18);
    writeFileSync(path, head);
    const other = process.arch === 'arm64' ? 'x64' : 'arm64';
    assert.throws(() => checkArchitecture(path), { code: 'engine_missing', message: new RegExp(`is for ${other}`) });
  });
});

describe('checkVersion', () => {
  test('takes 2.9 and what follows it, and says of others what is needed', () => {
    for (const version of ['2.9.0', '2.21.0', '2.22.0-rc1']) checkVersion('lib', version);
    for (const version of ['1.15.5', '2.8.4', '3.0.0', 'unknown']) {
      const message = new RegExp(`'lib' is version ${version}; 2.9 or newer of 2 is needed: install`);
      assert.throws(() => checkVersion('lib', version), { code: 'engine_missing', message });
    }
  });
});
