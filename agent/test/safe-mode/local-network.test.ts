import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { isLocal, pageUrl, reachableAddresses } from '../../src/safe-mode/local-network.ts';

function at(cidr: string, internal = false): NetworkInterfaceInfo {
  const [address = ''] = cidr.split('/');
  const common = { address, cidr, internal, netmask: '', mac: '' };
  return address.includes(':') ? { ...common, family: 'IPv6', scopeid: 0 } : { ...common, family: 'IPv4' };
}

const HERE = {
  lo: [at('127.0.0.1/8', true), at('::1/128', true)],
  eth0: [at('198.51.100.20/24'), at('2001:db8:1:2::20/64'), at('fe80::20/64')],
  wlan0: [at('192.168.1.20/24')],
  docker0: [at('172.17.0.1/16')],
};

describe('the local network', () => {
  it.each([
    ['this device itself', '127.0.0.1'],
    ['this device itself, by IPv6', '::1'],
    ['a home network', '192.168.1.5'],
    ['a private network behind a router of the same house', '10.20.30.40'],
    ['the private network of 172.16/12', '172.31.255.1'],
    ['a cable without any DHCP', '169.254.3.4'],
    ['the same link by IPv6', 'fe80::1%eth0'],
    ['a unique local address', 'fd00::7'],
    ['IPv4 that comes in by an IPv6 socket', '::ffff:192.168.1.5'],
    ['public addresses of the network that the device is in', '198.51.100.99'],
    ['the same by IPv6', '2001:db8:1:2:aaaa::1'],
  ])('has %s in it', (_what, caller) => {
    expect(isLocal(caller, HERE)).toBe(true);
  });

  it.each([
    ['the internet', '203.0.113.9'],
    ['the internet by IPv6', '2001:db8:9::1'],
    ['the neighbouring public network', '198.51.101.20'],
    ['public IPv4 in the clothes of IPv6', '::ffff:203.0.113.9'],
    ['addresses of carriers', '100.64.1.1'],
    ['just outside of 172.16/12', '172.32.0.1'],
    ['no address', ''],
    ['a name', 'localhost'],
    ['a list, as proxies make them', '127.0.0.1, 203.0.113.9'],
  ])('has not %s in it', (_what, caller) => {
    expect(isLocal(caller, HERE)).toBe(false);
  });

  it('is not the whole world because of a tunnel that takes everything', () => {
    expect(isLocal('203.0.113.9', { tun0: [at('10.8.0.2/0')] })).toBe(false);
  });

  it('is reached by the addresses that others can use, IPv4 first', () => {
    expect(reachableAddresses(HERE)).toEqual(['198.51.100.20', '192.168.1.20', '2001:db8:1:2::20']);
    expect(pageUrl('192.168.1.20', 80)).toBe('http://192.168.1.20/');
    expect(pageUrl('2001:db8::1', 8800)).toBe('http://[2001:db8::1]:8800/');
  });
});
