import { describeAdapter } from '../adapter.contract.ts';
import { startFakeRowServer } from './fake-row-server.ts';
import { RowAdapter } from './row-adapter.ts';

const tensor = { name: 'x', datatype: 'FP32', shape: [2, 2], data: [1, 2.5, -3, 4] };

describeAdapter('An adapter that translates', {
  adapter: new RowAdapter(),
  start: startFakeRowServer,
  translated: {
    request: Buffer.from(JSON.stringify({ inputs: [tensor] })),
    answer: Buffer.from(
      '{"model_name":"first","model_version":"1","outputs":[{"name":"y","datatype":"FP32","shape":[2,2],"data":[1.0,2.5,-3.0,4.0]}]}',
    ),
  },
});
