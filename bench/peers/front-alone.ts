/**
 * Skein's HTTP front without what is behind it: the mesh is a stand-in that takes the body as it comes and answers in a later
 * turn, as a backend's answer comes. Sends its port.
 */
import type { Exchange, ReplyObserver } from '../../src/adapters/adapter.ts';
import type { Mesh, MeshRequest } from '../../src/router/mesh/mesh-port.ts';
import { FrontMetrics } from '../../src/router/metrics/front-metrics.ts';
import { ModelLabels } from '../../src/router/metrics/model-labels.ts';
import { createRouterServer } from '../../src/router/servers/http-server.ts';
import { defaultServerOptions } from '../../src/router/servers/server-options.ts';

const answer = Buffer.from(
  `{"model_name":"m","model_version":"1","outputs":[{"name":"Y","datatype":"FP32","shape":[1,8],"data":[1,2,3,4,5,6,7,8]}]}`,
);

const server = await createRouterServer({ infer: answerAtOnce } as unknown as Mesh, defaultServerOptions, {
  retention: { usedBytes: 0, limitBytes: 256 * 1024 * 1024, perRequestBytes: 16 * 1024 * 1024 },
  metrics: new FrontMetrics(new ModelLabels(100)),
  log: () => {},
});
await server.listen({ port: 0, host: '127.0.0.1' });
process.on('disconnect', () => process.exit());
process.send?.(server.port);

function answerAtOnce(request: MeshRequest, observer: ReplyObserver): Exchange {
  request.body.attach({
    onPiece: (_piece, end) => {
      if (end) setImmediate(reply);
      return true;
    },
    onAborted: () => {},
  });
  return { cancel: () => {}, pause: () => {}, resume: () => {} };

  function reply(): void {
    observer.onReply({ headerLength: undefined, bodyBytes: answer.byteLength, inFlight: 0, latencyUs: 0 });
    observer.onPiece(answer);
    request.body.release();
    observer.onEnd();
  }
}
