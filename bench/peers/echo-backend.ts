/** A backend process as `skein serve` starts it, but for its engine: no model is run. */
import type { BackendProcessOptions } from '../../src/backends/host/process-options.ts';
import { createLog } from '../../src/cli/log.ts';
import { serveBackend } from '../../src/cli/serve-backend.ts';
import { EchoEngine } from './echo-engine.ts';

const options = JSON.parse(process.argv[2]!) as BackendProcessOptions;
await serveBackend(options, new EchoEngine(), createLog({ level: options.logLevel, format: options.logFormat }));
