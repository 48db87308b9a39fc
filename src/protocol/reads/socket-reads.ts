import { Socket } from 'node:net';

/** Where the bytes of a socket go, in place of a new buffer for each read. */
export interface ReadTarget {
  /** Asked before each read; must not be empty. The same buffer again costs nothing. */
  nextBuffer(): Buffer;
  /** The first bytes of `buffer` were read. What is kept of them must be copied, unless nobody else is given the buffer. */
  onRead(buffer: Buffer, bytes: number): void;
}

/** What of a socket's inside decides where its reads go: the option `onread`, which sockets of servers cannot be given. */
interface ReadParts {
  readonly buffer: symbol;
  readonly makeBuffer: symbol;
  readonly callback: symbol;
}

interface Handle {
  useUserBuffer?(buffer: Uint8Array): void;
}

type OpenSocket = Socket & { _handle?: Handle | null } & Record<symbol, unknown>;

const parts = findParts();

/**
 * Has everything that is read from now on put into buffers of `target`; 'data' is emitted no more. False where this Node
 * is not made as those that this was written for: then nothing has changed, and 'data' is what there is.
 *
 * A socket of its own reads 64 KiB into a new buffer each time. The collector is told of all these bytes, and collects
 * the whole heap for every 32 MiB of them: at bodies of 600 KB that was two thirds of the router's time.
 */
export function readInto(socket: Socket, target: ReadTarget): boolean {
  const inside = socket as OpenSocket;
  const handle = inside._handle;
  if (parts === undefined || typeof handle?.useUserBuffer !== 'function') return false;
  const first = target.nextBuffer();
  inside[parts.makeBuffer] = () => {
    const next = target.nextBuffer();
    return next === inside[parts.buffer] ? undefined : next; // the handle has it already
  };
  inside[parts.callback] = (bytes: number, buffer: Buffer) => {
    target.onRead(buffer, bytes);
    return true;
  };
  inside[parts.buffer] = first;
  handle.useUserBuffer(first);
  return true;
}

/** For a socket whose handle somebody else reads from now on, as node:http does: it forgets its target. */
export function forgetTarget(socket: Socket): void {
  if (parts === undefined) return;
  const inside = socket as OpenSocket;
  inside[parts.buffer] = null;
  inside[parts.makeBuffer] = null;
  inside[parts.callback] = null;
}

function findParts(): ReadParts | undefined {
  const symbols = new Map(Object.getOwnPropertySymbols(new Socket()).map((symbol) => [symbol.description, symbol]));
  const [buffer, makeBuffer, callback] = ['kBuffer', 'kBufferGen', 'kBufferCb'].map((name) => symbols.get(name));
  return buffer && makeBuffer && callback ? { buffer, makeBuffer, callback } : undefined;
}
