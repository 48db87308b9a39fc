import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { indexRows, surveyOfIndex } from '../../../src/adapters/v2/read-index.ts';

/** Of Triton 24.10: two versions served, one unloaded, one that failed, one that was never asked for. */
const rows = [
  { name: 'pair', version: '1', state: 'READY' },
  { name: 'pair', version: '3', state: 'READY' },
  { name: 'pair', version: '2', state: 'UNAVAILABLE', reason: 'unloaded' },
  { name: 'asleep', version: '1', state: 'UNAVAILABLE', reason: 'unloaded' },
  { name: 'broken', version: '1', state: 'UNAVAILABLE', reason: 'Internal: no such file' },
  { name: 'coming', version: '1', state: 'LOADING' },
  { name: 'unknown' },
];
const brief = (survey: ReturnType<typeof surveyOfIndex>) =>
  survey.sightings.map(({ model, version, phase, reason }) => `${model} ${version} ${phase}${reason && `: ${reason}`}`);

describe('surveyOfIndex', () => {
  test('shows what is served, and offers what could be loaded', () => {
    const survey = surveyOfIndex(rows, [], true);
    const seen = ['pair 1 ready', 'pair 3 ready', 'broken 1 failed: Internal: no such file', 'coming 1 loading'];
    assert.deepEqual(brief(survey), seen);
    assert.deepEqual(survey.offers, ['asleep', 'unknown']);
  });

  test('shows as failed what a server without loading has not loaded', () => {
    const survey = surveyOfIndex(rows, ['asleep', 'pair'], false);
    assert.deepEqual(brief(survey), ['pair 1 ready', 'pair 3 ready', 'asleep 1 failed: the server has not loaded it']);
    assert.deepEqual(survey.offers, []);
  });

  test('keeps to the declared models, and misses those that are not listed', () => {
    const survey = surveyOfIndex(rows, ['coming', 'absent'], true);
    assert.deepEqual(brief(survey), ['coming 1 loading', 'absent 1 failed: the server does not list it']);
    assert.deepEqual(survey.offers, []);
  });

  test('takes rows of servers whose versions are no numbers, or none', () => {
    const others = [
      { name: 'a', version: null, state: 'READY', reason: '' },
      { name: 'b', version: 'v0.1.0', state: 'UNAVAILABLE', reason: 'worse' },
      { name: 'b', version: 'v0.2.0', state: 'READY', reason: null },
      { name: 'b', version: 'v0.3.0', state: 'UNAVAILABLE', reason: 'worse' },
      { name: 'c', version: '', state: 'READY' },
    ];
    const survey = surveyOfIndex(others, [], true);
    assert.deepEqual(brief(survey), ['a 1 ready', 'b 1 ready', 'c 1 ready']);
    assert.deepEqual(
      survey.sightings.map(({ versionName }) => versionName),
      [undefined, 'v0.2.0', undefined],
    );
  });
});

describe('indexRows', () => {
  test('takes an index, and nothing else', () => {
    assert.equal(indexRows(rows), rows);
    assert.deepEqual(indexRows([]), []);
    for (const other of [undefined, null, {}, 'index', [1], [{ version: '1' }], [{ name: 3 }]]) {
      assert.equal(indexRows(other), undefined);
    }
  });
});
