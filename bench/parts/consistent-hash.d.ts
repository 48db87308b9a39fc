declare module 'consistent-hash' {
  export default class ConsistentHash {
    add(node: string): void;
    get(key: string): string;
  }
}
