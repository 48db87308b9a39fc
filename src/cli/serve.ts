import { Supervisor } from '../backends/host/supervisor.ts';
import { processEnvironment } from '../config/environment.ts';
import type { Settings } from '../config/settings.ts';
import { readBatchingParameters } from '../fleet/repository/batching-parameters.ts';
import { backendOptions, backendProgram, tensorflowBackend } from './backend-plan.ts';
import { createLog } from './log.ts';
import { makeSocketDirectory } from './owned-directory.ts';
import { prepareState } from './prepare-state.ts';
import { ProcessDesk } from './process-desk.ts';
import { RouterProcess } from './router-process.ts';
import { softwareVersion } from './software-version.ts';
import { untilSignalled } from './until-signalled.ts';

/**
 * `skein serve`: a router in this process, backends beside it, more routers where asked. Resolves when all has ended.
 * `program` is what a backend runs, given its options.
 */
export async function serve(settings: Settings, program: readonly string[] = backendProgram()): Promise<void> {
  const signalled = untilSignalled();
  const log = createLog({ level: settings.logLevel, format: settings.logFormat });
  await prepareState(settings.stateDir);
  const socketDir = makeSocketDirectory();
  const supervisor = new Supervisor({
    program,
    env: processEnvironment(),
    memoryBytes: settings.memoryBytes,
    cores: settings.cores,
    log: (message, facts) => log.warn(facts, message),
  });
  const batching = await readBatchingParameters(settings.batchingParametersFile);
  for (const notice of batching?.notices ?? []) log.warn({ file: settings.batchingParametersFile }, notice);
  const desk = new ProcessDesk(supervisor, (id, engine) =>
    backendOptions(settings, id, engine, socketDir, batching?.parameters),
  );
  process.on('exit', () => supervisor.killAll());
  const records = Array.from({ length: settings.backends }, (_, i) => desk.open(`b${i + 1}`));
  records.push(desk.openOnDemand(tensorflowBackend, 'tensorflow'));
  const router = new RouterProcess(settings, desk, log);
  try {
    await router.start(records);
  } catch (fault) {
    await supervisor.stopAll();
    throw fault;
  }
  process.stdout.write(
    `${JSON.stringify({ ready: true, ...router.urls, pid: process.pid, version: softwareVersion })}\n`,
  );
  await signalled;
  log.info('stopping: no new requests, those under way are answered');
  const deadline = setTimeout(() => process.exit(1), settings.drainTimeoutMs + 5_000);
  await router.stop(settings.drainTimeoutMs);
  await supervisor.stopAll();
  clearTimeout(deadline);
}
