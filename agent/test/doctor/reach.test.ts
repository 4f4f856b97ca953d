import type { Status } from '@metrica-fleet/protocol';
import { describe, expect, it } from 'vitest';
import { judgeAgent, type AgentFacts } from '../../src/doctor/agent.ts';
import { hostIn, judgeNetwork, type NetworkFacts } from '../../src/doctor/network.ts';
import { judgeSources, type SourcesFacts } from '../../src/doctor/sources.ts';
import { judgeUnits, type UnitsFacts } from '../../src/doctor/units.ts';
import { itFinds, type Case } from './cases.ts';

const unit = (name: string, state: { load?: string; active?: string; file?: string } = {}) => ({
  name,
  load: 'loaded',
  active: name.endsWith('.service') ? 'inactive' : 'active',
  file: name.endsWith('.service') ? 'static' : 'enabled',
  ...state,
});
const contact = (over: Partial<SourcesFacts['contacts'][number]> = {}) => ({
  source: 'git https://git.example.org/fleet.git',
  problem: null,
  forbidden: false,
  optional: false,
  date: 1_000_000_000_000,
  ...over,
});
const LOST = {
  code: 'source-unreachable',
  what: 'No route to host',
  remedy: 'Look at the network.',
} as const;
const STATUS: Status = {
  schemaVersion: 1,
  device: 'pi',
  agentVersion: '1',
  at: '2026-11-24T00:00:00Z',
  state: 'idle',
  health: 'healthy',
  running: { role: 'hello', commit: 'c'.repeat(40), digest: 'd'.repeat(64) },
  wanted: null,
  pending: null,
  lastUpdate: null,
  lastConvergence: null,
  problems: [],
  services: [],
  sources: [],
};
const NETWORK: NetworkFacts = {
  resolvConf: 'search lan\nnameserver 192.168.1.1\n',
  hosts: [{ name: 'git.example.org', addresses: ['192.0.2.7'] }],
};
const AGENT: AgentFacts = {
  configProblem: null,
  status: STATUS,
  overlord: true,
  joined: 'pi',
  hidden: false,
  enrolment: null,
};
const UNITS: UnitsFacts = {
  units: [
    ...[unit('role-agent.timer'), unit('role-agent.path'), unit('role-agent.service')],
    unit('role-agent-safe-mode-redeploy.path', { file: 'static', active: 'inactive' }),
  ],
};
const SOURCES: SourcesFacts = { contacts: [contact()], now: 1_000_000_002_000 };

const CASES: readonly Case[] = [
  [
    'a name that does not resolve',
    judgeNetwork({ ...NETWORK, hosts: [{ name: 'git.example.org', addresses: [] }] }),
    'dns',
    'problem',
    /git\.example\.org \(asked: 192\.168\.1\.1\).*resolv\.conf/,
  ],
  [
    'a name server that does not answer',
    judgeNetwork({ ...NETWORK, hosts: [{ name: 'git.example.org', addresses: null }] }),
    'dns',
    'problem',
    /git\.example\.org in time/,
  ],
  [
    'one name of two that does not resolve',
    judgeNetwork({ ...NETWORK, hosts: [...NETWORK.hosts, { name: 'gone.example.org', addresses: [] }] }),
    'dns',
    'warning',
    /Not every name.*gone\.example\.org/,
  ],
  ['no name server', judgeNetwork({ resolvConf: null, hosts: [] }), 'dns', 'warning', /names no server/],
  [
    'MagicDNS alone',
    judgeNetwork({ ...NETWORK, resolvConf: 'nameserver 100.100.100.100\n' }),
    'boring-names',
    'warning',
    /MagicDNS.*tailscale set --accept-dns=false/,
  ],
  [
    'a source by a name of mDNS',
    judgeNetwork({ ...NETWORK, hosts: [{ name: 'nas.local', addresses: ['192.0.2.1'] }] }),
    'boring-names',
    'warning',
    /nas\.local.*config\.yaml/,
  ],
  [
    'the only source away',
    judgeSources({ ...SOURCES, contacts: [contact({ problem: LOST })] }),
    'sources',
    'problem',
    /No route to host.*Look at the network/,
  ],
  [
    'one source of two away',
    judgeSources({ ...SOURCES, contacts: [contact(), contact({ problem: LOST })] }),
    'sources',
    'warning',
    /No route to host/,
  ],
  [
    'a source that this user may not ask',
    judgeSources({ ...SOURCES, contacts: [contact({ problem: LOST, forbidden: true })] }),
    'sources',
    'unknown',
    /may not read/,
  ],
  [
    'a clock that drifts',
    judgeSources({ ...SOURCES, now: 1_000_000_000_000 - 60_000 }),
    'clock-drift',
    'warning',
    /60 s behind git/,
  ],
  [
    'a clock that is wrong',
    judgeSources({ ...SOURCES, now: 1_000_000_000_000 + 3_600_000 }),
    'clock-drift',
    'problem',
    /3600 s ahead of git/,
  ],
  [
    'a configuration with a mistake',
    judgeAgent({
      ...AGENT,
      configProblem: {
        code: 'config-invalid',
        what: 'Unknown field «sorces»',
        where: '/etc/role-agent/config.yaml:3',
        remedy: 'Correct the file.',
      },
    }),
    'configuration',
    'problem',
    /«sorces» \(\/etc\/role-agent\/config\.yaml:3\).*Correct the file/,
  ],
  [
    'no run since the start',
    judgeAgent({ ...AGENT, status: null }),
    'update',
    'warning',
    /No run.*role-agent run/,
  ],
  [
    'a release in quarantine',
    judgeAgent({
      ...AGENT,
      status: {
        ...STATUS,
        pending: 'hello@abc failed here',
        refused: { code: 'health-failed', what: 'web exited' },
        problems: [{ code: 'health-failed', what: 'web exited' }],
      },
    }),
    'update',
    'warning',
    /failed here.*web exited.*role-agent redeploy/,
  ],
  [
    'a stack that does not work',
    judgeAgent({
      ...AGENT,
      status: { ...STATUS, health: 'degraded', problems: [{ code: 'stack-broken', what: 'web stopped' }] },
    }),
    'update',
    'problem',
    /degraded.*web stopped/,
  ],
  [
    'a device that waits for an operator',
    judgeAgent({
      ...AGENT,
      joined: null,
      enrolment: { at: STATUS.at, what: 'Asked to join', problem: null },
    }),
    'identity',
    'warning',
    /Asked to join.*role-agent enrol/,
  ],
  [
    'an overlord whose fleet was never joined',
    judgeAgent({ ...AGENT, joined: null }),
    'identity',
    'problem',
    /page Enrol/,
  ],
  [
    'an identity that this user may not see',
    judgeAgent({ ...AGENT, joined: null, hidden: true }),
    'identity',
    'unknown',
    /may not/,
  ],
  [
    'a masked timer',
    judgeUnits({ units: [unit('role-agent.timer', { load: 'masked', active: 'inactive', file: 'masked' })] }),
    'units',
    'problem',
    /masked.*systemctl unmask role-agent\.timer && systemctl enable --now role-agent\.timer/,
  ],
  [
    'a disabled path unit',
    judgeUnits({ units: [unit('role-agent.path', { file: 'disabled', active: 'inactive' })] }),
    'units',
    'problem',
    /systemctl enable --now role-agent\.path/,
  ],
  [
    'a timer that was stopped',
    judgeUnits({ units: [unit('role-agent.timer', { active: 'inactive' })] }),
    'units',
    'problem',
    /systemctl start role-agent\.timer/,
  ],
  [
    'a timer that failed',
    judgeUnits({ units: [unit('role-agent.timer', { active: 'failed' })] }),
    'units',
    'problem',
    /reset-failed role-agent\.timer && systemctl start/,
  ],
  [
    'a unit that was removed',
    judgeUnits({ units: [unit('role-agent.timer', { load: 'not-found', active: 'inactive', file: '' })] }),
    'units',
    'problem',
    /--reinstall role-agent/,
  ],
  [
    'a service that failed',
    judgeUnits({ units: [unit('role-agent-wake.service', { active: 'failed' })] }),
    'units',
    'warning',
    /journalctl -u role-agent-wake\.service/,
  ],
  ['no systemd', judgeUnits({ units: null }), 'units', 'unknown', /systemd/],
];

describe('the doctor, of the agent and its way to the sources,', () => {
  itFinds(CASES);

  it('finds nothing where all is well', () => {
    const findings = [
      judgeNetwork(NETWORK),
      judgeSources(SOURCES),
      judgeAgent(AGENT),
      judgeUnits(UNITS),
    ].flat();
    expect(findings.filter(({ severity }) => severity !== 'ok')).toEqual([]);
    expect(findings.length).toBeGreaterThan(3);
  });

  it('makes nothing of a stick that is not plugged in', () => {
    const stick = contact({ source: 'directory /media/usb', problem: LOST, optional: true, date: null });
    const findings = judgeSources({ contacts: [contact(), stick], now: SOURCES.now });
    expect(findings.map(({ severity }) => severity)).toEqual(['ok', 'ok', 'ok']);
  });

  it('knows the host in every kind of address that git takes', () => {
    expect(hostIn('https://me@git.example.org:8443/fleet.git')).toBe('git.example.org');
    expect(hostIn('git@git.example.org:fleet.git')).toBe('git.example.org');
    expect(hostIn('ssh://git@[2001:db8::1]:22/fleet.git')).toBe('2001:db8::1');
    expect(hostIn('/srv/fleet.git')).toBeNull();
  });
});
