/** Whether an address of a peer is of this machine: 127.0.0.0/8, ::1, and the former in IPv6's clothes. */
export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  return address === '::1' || /^(?:::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/i.test(address);
}
