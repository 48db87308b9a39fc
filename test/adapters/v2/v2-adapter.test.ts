import { V2Adapter } from '../../../src/adapters/v2/v2-adapter.ts';
import { describeAdapter } from '../adapter.contract.ts';
import { startFakeV2Server } from './fake-v2-server.ts';
import { quickOptions } from './quick-options.ts';

describeAdapter('V2Adapter', { adapter: new V2Adapter(quickOptions), start: startFakeV2Server });
