import { BlockList, isIP } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';

/** Networks that no router carries across the internet: this machine, link-local, RFC 1918, unique local (RFC 4193). */
const PRIVATE: readonly (readonly [string, number, 'ipv4' | 'ipv6'])[] = [
  ['127.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['::1', 128, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
];

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/**
 * Whether a caller is near enough to press the button: on a private network, or on one that this device has an address
 * in. What is no address is nowhere near.
 */
export function isLocal(caller: string, interfaces: Interfaces): boolean {
  const address = plain(caller);
  const family = isIP(address);
  if (family === 0) return false;
  const near = new BlockList();
  for (const [network, prefix, type] of PRIVATE) near.addSubnet(network, prefix, type);
  for (const { cidr } of Object.values(interfaces).flatMap((addresses) => addresses ?? [])) {
    const [network = '', prefix = ''] = (cidr ?? '').split('/');
    const type = isIP(network);
    // A prefix of a few bits is a tunnel that takes everything, and no neighbourhood.
    if (type !== 0 && Number(prefix) >= 8)
      near.addSubnet(network, Number(prefix), type === 4 ? 'ipv4' : 'ipv6');
  }
  return near.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** `::ffff:192.0.2.1` is an IPv4 address, and `fe80::1%eth0` one of a link. */
function plain(caller: string): string {
  return caller.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}

/** Where this device can be reached, IPv4 first; not what is of this machine, of a link or of Docker alone. */
export function reachableAddresses(interfaces: Interfaces): string[] {
  const addresses = Object.entries(interfaces)
    .filter(([name]) => !/^(lo|docker|br-|veth)/.test(name))
    .flatMap(([, infos]) => infos ?? [])
    .filter(({ internal, address }) => !internal && !/^(169\.254\.|fe80:)/i.test(address))
    .sort((a, b) => a.family.localeCompare(b.family));
  return addresses.map(({ address }) => address);
}

/** The address of the page, as one types it into a browser. */
export function pageUrl(address: string, port: number): string {
  const host = isIP(address) === 6 ? `[${address}]` : address;
  return `http://${host}${port === 80 ? '' : `:${port}`}/`;
}
