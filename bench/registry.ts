/**
 * Ways to write a catalogue entry to one etcd from 32 callers: `node bench/registry.ts [seconds]`. Needs etcd on the PATH.
 * Figures are those of the disk as much as of the way: etcd syncs each write.
 */
import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { EtcdClient } from '../src/fleet/etcd/etcd-client.ts';
import { encodeBytes } from '../src/fleet/etcd/etcd-messages.ts';
import { EtcdRegistry } from '../src/fleet/etcd/etcd-registry.ts';
import { type EtcdProcess, startEtcd } from '../test/fixtures/etcd-process.ts';

interface RegistryRow {
  readonly way: string;
  readonly writesPerSecond: number;
  readonly ownCpuUs: number;
  readonly etcdCpuUs: number;
}

const callers = 32;
type Write = (i: number) => Promise<unknown>;

const entry = (i: number) => ({
  kind: 'model' as const,
  name: `model-${i}`,
  path: `model-${i}`,
  versions: [1],
  stamps: ['m2x8k3a1.9q4-m2x8k3a2.b7d'],
  engine: 'onnx',
  changedAtMs: 1_760_000_000_000,
});

async function benchRegistry(seconds: number): Promise<RegistryRow[]> {
  const ends: (() => unknown)[] = [];
  const etcd = await startEtcd({ after: (end) => ends.push(end) }, { isDurable: true });
  const options = { endpoints: [`http://${etcd.host}`], user: '', password: '' };
  const client = new EtcdClient(options);
  const registry = new EtcdRegistry({ ...options, prefix: '/skein/', log: () => {} });
  const grpc = connect(`http://${etcd.host}`);
  try {
    return [
      await measure('JSON gateway, a call each', etcd, seconds, (i) =>
        client.call('/kv/put', { key: encodeBytes(`/a/${i}`), value: encodeBytes(JSON.stringify(entry(i))) }),
      ),
      await measure('gRPC over node:http2, a call each', etcd, seconds, (i) =>
        putOverGrpc(grpc, `/b/${i}`, JSON.stringify(entry(i))),
      ),
      await measure('JSON gateway, together (EtcdRegistry)', etcd, seconds, (i) => registry.putEntry(entry(i), 0)),
    ];
  } finally {
    grpc.close();
    await registry.close();
    client.close();
    for (const end of ends) await end();
  }
}

async function measure(way: string, etcd: EtcdProcess, seconds: number, write: Write): Promise<RegistryRow> {
  let next = 0;
  const untilMs = performance.now() + seconds * 1_000;
  const [own, theirs, startMs] = [process.cpuUsage(), cpuMs(etcd.pid), performance.now()];
  const caller = async () => {
    while (performance.now() < untilMs) await write(next++);
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const { user, system } = process.cpuUsage(own);
  return {
    way,
    writesPerSecond: Math.round((next * 1_000) / (performance.now() - startMs)),
    ownCpuUs: Math.round((user + system) / next),
    etcdCpuUs: Math.round((1_000 * (cpuMs(etcd.pid) - theirs)) / next),
  };
}

/** The least that a generated client could cost: a PutRequest (fields 1 and 2, bytes) in one gRPC frame. */
function putOverGrpc(session: ClientHttp2Session, key: string, value: string): Promise<void> {
  const [k, v] = [Buffer.from(key), Buffer.from(value)];
  const message = Buffer.concat([
    Buffer.from([0x0a, ...varint(k.length)]),
    k,
    Buffer.from([0x12, ...varint(v.length)]),
    v,
  ]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/etcdserverpb.KV/Put',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status: unknown;
    stream.on('trailers', (trailers) => {
      status = trailers['grpc-status'];
    });
    stream.on('error', reject).on('data', () => {});
    stream.on('end', () => (status === '0' ? resolve() : reject(new Error(`grpc-status ${status}`))));
    stream.end(Buffer.concat([head, message]));
  });
}

/** User and system time of a process; Linux counts in hundredths of a second. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}

if (import.meta.main)
  process.stdout.write(`${JSON.stringify(await benchRegistry(Number(process.argv[2] ?? 4)), null, 1)}\n`);
