import { BlockList, isIP } from 'node:net';

/**
 * What an address leads to. `private`: the organisation's own network. `local`: this machine, its link, the cloud's metadata
 * service, and what is no place to fetch from at all (multicast, unspecified, reserved).
 */
type AddressRange = 'public' | 'private' | 'local';

/** The widest range that may be fetched from. */
export type AddressLimit = 'public' | 'private' | 'any';

/** IANA's special-purpose registries, and the addresses under which clouds answer with credentials. */
const localRanges = listOf([
  '0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '192.0.0.0/24', '224.0.0.0/3', '100.100.100.200/32', '168.63.129.16/32',
  '::/128', '::1/128', 'fe80::/10', 'fec0::/10', 'ff00::/8', 'fd00:ec2::/32', '100::/64',
]); // biome-ignore format: one line each would be a page

const privateRanges = listOf([
  '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '198.18.0.0/15', 'fc00::/7',
]); // biome-ignore format: as above

/** IPv6 addresses that stand for an IPv4 one: mapped, translated (NAT64), 6to4; with the byte at which it begins. */
const carriers: readonly (readonly [BlockList, atByte: number])[] = [
  [listOf(['::ffff:0:0/96']), 12],
  [listOf(['::/96']), 12],
  [listOf(['64:ff9b::/96', '64:ff9b:1::/48']), 12],
  [listOf(['2002::/16']), 2],
];

/** Throws for what is no IP address: names must have been resolved. */
export function addressRange(address: string): AddressRange {
  const family = isIP(address);
  if (family === 0) throw new Error(`'${address}' is not an IP address`);
  const type = family === 4 ? 'ipv4' : 'ipv6';
  if (localRanges.check(address, type)) return 'local';
  if (privateRanges.check(address, type)) return 'private';
  if (family === 4) return 'public';
  const carried = carriers.find(([list]) => list.check(address, 'ipv6'));
  return carried === undefined ? 'public' : addressRange(carriedAddress(address, carried[1]));
}

export function isWithin(range: AddressRange, limit: AddressLimit): boolean {
  return limit === 'any' || range === 'public' || (range === 'private' && limit === 'private');
}

function carriedAddress(address: string, atByte: number): string {
  const groups = ipv6Groups(address);
  const bytes = groups.flatMap((group) => [group >> 8, group & 0xff]);
  return bytes.slice(atByte, atByte + 4).join('.');
}

/** Eight numbers of 16 bits. */
function ipv6Groups(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const plain = dotted === null ? address : `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}`;
  const [head = '', tail] = plain.split('%')[0]!.split('::');
  const [before, after] = [head, tail ?? ''].map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = new Array(8 - before!.length - after!.length).fill('0');
  return [...before!, ...zeros, ...after!].map((group) => Number.parseInt(group, 16));
}

function hex(high = '0', low = '0'): string {
  return ((Number(high) << 8) | Number(low)).toString(16);
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    list.addSubnet(address, Number(bits), isIP(address) === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}
