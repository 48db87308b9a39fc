import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { errorBody, errorText, httpStatus } from '../../../src/protocol/v1/status.ts';

describe('errorBody', () => {
  test('is a pretty object, well-formed whatever the text holds', () => {
    const error = new SkeinError('model_unknown', { model: 'ha"lf' });
    assert.equal(errorBody(error), '{\n    "error": "Servable not found for request: Latest(ha\\"lf)"\n}');
  });
});

describe('errorText', () => {
  test('says in the words of TensorFlow Serving what every dialect has', () => {
    const texts = [
      new SkeinError('version_unknown', { model: 'm', version: 3 }),
      new SkeinError('model_failed', { model: 'm', reason: 'broken' }),
      new SkeinError('json_malformed', { reason: 'Invalid value.', offset: 4 }),
    ].map((error) => errorText(error));
    assert.deepEqual(texts, [
      'Servable not found for request: Specific(m, 3)',
      'Servable not found for request: Latest(m): broken',
      'JSON Parse error: Invalid value. at offset: 4',
    ]);
  });
});

describe('errorText of a signature that is not there', () => {
  test('differs from method to method', () => {
    const error = new SkeinError('signature_unknown', { model: 'm', signature: 's', known: '' });
    assert.equal(errorText(error, 'v1Predict'), 'Serving signature name: "s" not found in signature def');
    assert.equal(errorText(error, 'v1Classify'), 'No signature was found with the name: s');
    assert.equal(errorText(error, 'tfPredict'), 'Serving signature key "s" not found.');
    assert.equal(errorText(error, 'tfMultiInference'), 'Requested signature not found in model graph: s');
  });
});

describe('httpStatus', () => {
  test('tells a request that came too late from one that can be sent again', () => {
    assert.deepEqual([httpStatus('deadline'), httpStatus('unavailable')], [504, 503]);
  });
});
