/** The Kubernetes manifests against the schemas of Kubernetes, the oldest that they are for and a new one. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pythonPrograms } from '../fixtures/python-environment.ts';

const base = join(import.meta.dirname, '../../compose/kubernetes/base');
const manifests = readdirSync(base).filter((name) => name !== 'kustomization.yaml');
const kinds = [
  'configmap/skein-settings',
  'deployment/skein-router',
  'namespace/skein',
  'networkpolicy/skein-backend',
  'networkpolicy/skein-router',
  'poddisruptionbudget/skein-backend',
  'poddisruptionbudget/skein-router',
  'service/skein',
  'service/skein-backends',
  'serviceaccount/skein',
  'statefulset/skein-backend',
];

describe('The Kubernetes manifests', () => {
  for (const version of ['1.27', '1.37']) {
    test(`are what Kubernetes ${version} takes, without a field that it does not know`, () => {
      const validate = join(
        pythonPrograms(join(import.meta.dirname, 'kubernetes-requirements.txt')),
        'kubernetes-validate',
      );
      const args = ['--strict', '-k', `${version}.0`, ...manifests.map((name) => join(base, name))];
      const told = execFileSync(validate, args, { encoding: 'utf8' });
      const passed = Array.from(told.matchAll(/passed for resource (\S+)/g), ([, resource]) => resource);
      assert.deepEqual(passed.sort(), kinds);
    });
  }

  test('let backends ask the agent that has their credentials on EKS, and no metadata service', () => {
    const [, , backend = ''] = readFileSync(join(base, 'network.yaml'), 'utf8').split(/^metadata:$/m);
    assert.match(backend, /name: skein-backend/);
    assert.match(backend, /cidr: 169\.254\.170\.23\/32 \} \}\]\n +ports: \[\{ port: 80 \}\]/);
    assert.match(backend, /cidr: 0\.0\.0\.0\/0, except: \[169\.254\.0\.0\/16\]/);
  });

  test('are all named by kustomization.yaml', () => {
    const named = Array.from(
      readFileSync(join(base, 'kustomization.yaml'), 'utf8').matchAll(/^ {2}- (\S+\.yaml)$/gm),
      ([, name]) => name,
    );
    assert.deepEqual(named.sort(), manifests.toSorted());
  });
});
