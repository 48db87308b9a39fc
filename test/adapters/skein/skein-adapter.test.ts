import { SkeinAdapter } from '../../../src/adapters/skein/skein-adapter.ts';
import { describeAdapter } from '../adapter.contract.ts';
import { startFakeLinkServer } from './fake-link-server.ts';

describeAdapter('SkeinAdapter', {
  adapter: new SkeinAdapter({ id: 'r1', software: 'test' }),
  start: startFakeLinkServer,
});
