import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLog, textLine } from '../../src/cli/log.ts';

function logged(format: 'json' | 'text', write: (log: ReturnType<typeof createLog>) => void): string {
  let text = '';
  const sink = {
    write: (line: string) => {
      text += line;
    },
  };
  write(createLog({ level: 'info', format }, sink));
  return text;
}

describe('createLog', () => {
  test('writes JSON lines with a level in words and a time in ISO form', () => {
    const line = JSON.parse(logged('json', (log) => log.child({ backend: 'b1' }).warn({ model: 'm' }, 'no room')));
    assert.match(line.time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.deepEqual(
      { ...line, time: '' },
      { level: 'warn', time: '', pid: process.pid, backend: 'b1', model: 'm', msg: 'no room' },
    );
  });

  test('leaves out what is less severe than its level', () => {
    assert.equal(
      logged('json', (log) => log.debug('chatter')),
      '',
    );
  });

  test('writes one short line for people, and the stack of an error under it', () => {
    const text = logged('text', (log) => log.error({ error: new Error('broken pipe') }, 'link lost'));
    assert.match(text, /^\d\d:\d\d:\d\d\.\d{3} ERROR link lost\n {4}Error: broken pipe\n {4}at /);
  });
});

describe('textLine', () => {
  test('puts the backend first and facts last, quoting what holds spaces', () => {
    const line = {
      level: 'info',
      time: '2026-01-02T07:02:06.123Z',
      pid: 1,
      backend: 'b1',
      model: 'm',
      why: 'a b',
      sizes: [1],
      none: '',
      msg: 'loaded',
    };
    assert.equal(textLine(JSON.stringify(line)), '07:02:06.123 INFO  b1: loaded model=m why="a b" sizes=[1] none=""\n');
  });
});
