import type { Classifications, Regressions } from '../tfserving/results.ts';
import type { EncodedBody } from '../v2/infer-reply.ts';
import { TextParts } from '../v2/text-parts.ts';
import { decimalText } from './decimal-text.ts';
import { PrettyJson } from './pretty-json.ts';

export function encodeClassifications(classifications: Classifications): EncodedBody {
  return encodeResults((json) => {
    json.startArray();
    for (const classes of classifications) {
      json.singleLine = true;
      json.startArray();
      for (const { label, score } of classes) {
        json.startArray();
        json.string(label);
        json.raw(decimalText(score, 'FP32'));
        json.endArray();
      }
      json.endArray();
      json.singleLine = false;
    }
    json.endArray();
  });
}

export function encodeRegressions(values: Regressions): EncodedBody {
  return encodeResults((json) => {
    json.singleLine = true;
    json.startArray();
    json.rawAll(values.map((value) => decimalText(value, 'FP32')));
    json.endArray();
  });
}

function encodeResults(write: (json: PrettyJson) => void): EncodedBody {
  const text = new TextParts();
  const json = new PrettyJson(text);
  json.startObject();
  json.string('results');
  write(json);
  json.endObject();
  text.flush();
  return { headerLength: undefined, parts: text.parts, byteLength: text.byteLength };
}
