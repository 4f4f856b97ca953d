import { isIP } from 'node:net';
import type { Config } from '../config.ts';
import { ok, problem, unknown, warning, type Finding } from './finding.ts';
import { says, textAt, topic, type Patient } from './patient.ts';

export interface NetworkFacts {
  /** `/etc/resolv.conf`; null where there is none, or a link that leads nowhere. */
  readonly resolvConf: string | null;
  readonly hosts: readonly Host[];
}

/** A name in the sources that are configured. */
interface Host {
  readonly name: string;
  /** Null: no answer in time; empty: there is no such name. */
  readonly addresses: readonly string[] | null;
}

const FILE = '/etc/resolv.conf';
/** Where Tailscale answers for names of its own, and for all others while it runs. */
const MAGIC = '100.100.100.100';

async function gatherNetwork(patient: Patient): Promise<NetworkFacts> {
  const names = hostsOf(patient.config);
  const [resolvConf, hosts] = await Promise.all([
    textAt(patient, FILE),
    Promise.all(names.map(async (name) => ({ name, addresses: await addressesOf(patient, name) }))),
  ]);
  return { resolvConf, hosts };
}

/** As every program of the system would resolve it, hosts file and mDNS included. */
async function addressesOf(patient: Patient, name: string): Promise<Host['addresses']> {
  const said = await says(patient, 'doctor.resolve', ['getent', 'ahosts', name]);
  if (said === null) return null;
  return [...new Set(said.out.split('\n').map((line) => line.split(/\s+/)[0] ?? ''))].filter(
    (one) => one !== '',
  );
}

/** Host names (no addresses) that the sources are reached by, each once. */
function hostsOf(config: Config | null): readonly string[] {
  const urls = (config?.sources ?? []).flatMap((source) => (source.kind === 'directory' ? [] : [source.url]));
  const names = urls.map(hostIn).filter((name) => name !== null);
  return [...new Set(names)].filter((name) => isIP(name) === 0 && name !== 'localhost');
}

/** Of `https://host:443/path`, `ssh://user@host/path` and `user@host:path`; null for a path. */
export function hostIn(url: string): string | null {
  const found =
    /^[a-z+]+:\/\/(?:[^@/]*@)?(\[[^\]]+\]|[^:/]+)/.exec(url) ?? /^(?:[^@/]+@)?([^:/]+):/.exec(url);
  return found?.[1]?.replace(/^\[|\]$/g, '') ?? null;
}

export function judgeNetwork({ resolvConf, hosts }: NetworkFacts): readonly Finding[] {
  const servers = [...(resolvConf ?? '').matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1] ?? '');
  return [judgeDns(servers, hosts), ...judgeNames(servers, hosts)];
}

function judgeDns(servers: readonly string[], hosts: readonly Host[]): Finding {
  const check = 'dns';
  const why = 'Sources and registries are out of reach; what runs keeps running';
  const lost = hosts.filter(({ addresses }) => addresses === null || addresses.length === 0);
  const asked = servers.length === 0 ? 'no name server is set' : `asked: ${servers.join(', ')}`;
  if (lost.length > 0) {
    const names = lost.map(({ name, addresses }) => `${name} ${addresses === null ? 'in time' : ''}`.trim());
    const all = lost.length === hosts.length;
    const seen = `${all ? 'No name of a source resolves' : 'Not every name of a source resolves'}: ${names.join(', ')} (${asked})`;
    return (all ? problem : warning)(check, seen, {
      why,
      remedy: `Name a server that answers in ${FILE}, in place of what is there; where NetworkManager writes that file, with \`nmcli connection modify NAME ipv4.dns ADDRESS\` instead. Then: getent ahosts ${lost[0]?.name}`,
    });
  }
  if (servers.length === 0) {
    return warning(check, `${FILE} names no server`, {
      why: 'No name resolves, those of registries included',
      remedy: `Add \`nameserver <address of the router>\` to ${FILE}, or let NetworkManager write it`,
      command: 'systemctl restart NetworkManager',
    });
  }
  if (hosts.length === 0) return unknown(check, `No source has a name to try (${asked})`);
  return ok(
    check,
    `${hosts.map(({ name }) => name).join(', ')} ${hosts.length === 1 ? 'resolves' : 'resolve'}`,
  );
}

/** Names that resolve in one kind of network alone: what works on the bench fails in the field. */
function judgeNames(servers: readonly string[], hosts: readonly Host[]): readonly Finding[] {
  const check = 'boring-names';
  const fragile = hosts.filter(({ name }) => /\.(local|ts\.net)$/.test(name) || !name.includes('.'));
  if (servers.length > 0 && servers.every((server) => server === MAGIC)) {
    return [
      warning(check, 'Tailscale’s MagicDNS is the only name server', {
        why: 'No name resolves while Tailscale is down, or signed out',
        command: 'tailscale set --accept-dns=false',
      }),
    ];
  }
  if (fragile.length === 0) return [];
  return [
    warning(check, `A source is named ${fragile.map(({ name }) => name).join(', ')}`, {
      why: 'Names of mDNS, MagicDNS and search domains depend on the network that the device happens to be in',
      remedy: 'Use a name of the public DNS, or an address, in /etc/role-agent/config.yaml: `sources`',
    }),
  ];
}

export const NETWORK = topic('network', gatherNetwork, judgeNetwork);
