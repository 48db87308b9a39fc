import { type LookupAddress, type LookupOptions, lookup as resolveName } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { SkeinError } from '../../protocol/errors.ts';
import { type AddressLimit, addressRange, isWithin } from './address-range.ts';
import { type AllowList, isAllowed } from './allow-list.ts';

/**
 * What a model entry may make this process reach: places of the list, at addresses within the limit. The address is judged
 * in the look-up that the connection itself uses, so a name that leads elsewhere a moment later (DNS rebinding) is of no use.
 */
export class SourceGate {
  readonly #list: AllowList;
  readonly #limit: AddressLimit;
  readonly #resolve: typeof resolveName;

  constructor(list: AllowList, limit: AddressLimit, resolve: typeof resolveName = resolveName) {
    this.#list = list;
    this.#limit = limit;
    this.#resolve = resolve;
  }

  /** Throws `source_not_allowed`. */
  check(url: URL): void {
    if (!isAllowed(this.#list, url)) throw new SkeinError('source_not_allowed', { url: shown(url) });
  }

  /** Of a host that is written as an address: sockets look up names only. Throws `source_address`. */
  checkHost(hostname: string): void {
    const address = hostname.replace(/^\[|\]$/g, '');
    if (isIP(address) !== 0 && !this.#isOpen(address)) throw closed(hostname, address);
  }

  /** For sockets: resolves a name to those of its addresses that are within the limit. */
  readonly lookup: LookupFunction = (hostname, options: LookupOptions, callback) => {
    this.#resolve(hostname, { ...options, all: true }, (fault, found: LookupAddress[]) => {
      if (fault !== null) return callback(fault, '', 0);
      const open = found.filter(({ address }) => this.#isOpen(address));
      const first = open[0];
      if (first === undefined) return callback(closed(hostname, found[0]?.address ?? 'no address'), '', 0);
      return options.all === true ? callback(null, open) : callback(null, first.address, first.family);
    });
  };

  #isOpen(address: string): boolean {
    return isWithin(addressRange(address.split('%')[0]!), this.#limit);
  }
}

function closed(host: string, address: string): SkeinError {
  return new SkeinError('source_address', { host, address });
}

/** For messages. */
export function shown(url: URL): string {
  return url.href.length > 200 ? `${url.href.slice(0, 200)}…` : url.href;
}
