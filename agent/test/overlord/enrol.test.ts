import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tryToEnrol } from '../../src/commands/enrol.ts';
import { readConfig } from '../../src/config.ts';
import { enrol, type EnrolContext, type EnrolOutcome } from '../../src/enrol/enrol.ts';
import type { Disk } from '../../src/ports/disk.ts';
import { sourcesOf } from '../../src/sources/sources.ts';
import { bench, type Bench } from '../sources/bench.ts';
import { makeCertificates, type Certificates } from './certificates.ts';
import { FakeOverlord } from './fake-overlord.ts';
import { put } from './joined.ts';

const SIGNERS = 'fleet namespaces="release@metrica-fleet" ssh-ed25519 AAAA\n';
let folder: string;
let ours: Certificates;
let overlord: FakeOverlord;
let on: Bench;
let board: Record<string, string>;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'metrica-enrol-'));
  ours = makeCertificates(folder, 'ours');
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(async () => {
  overlord = await FakeOverlord.start(ours);
  overlord.enrol = () => ({ role: 'web', signers: SIGNERS });
  on = bench();
  board = {
    '/proc/device-tree/serial-number': '10000000abcdef01\0',
    '/proc/device-tree/model': 'Raspberry Pi 4 Model B Rev 1.5\0',
    '/etc/machine-id': '0123456789abcdef0123456789abcdef\n',
    '/sys/class/net/end0/address': 'dc:a6:32:00:00:01\n',
  };
  invite();
});
afterEach(async () => {
  on.clear();
  await overlord.stop();
});

const paths = (): Bench['context']['paths'] => on.context.paths;
const text = (path: string): string => readFileSync(path, 'utf8');

function invite(over: Record<string, unknown> = {}): void {
  const invitation = {
    url: overlord.url,
    ca: ours.ca,
    token: 'enrol-0123456789abcdef',
    name: 'kiosk-7',
    issued_at: '2026-01-01T00:00:00Z',
    ...over,
  };
  put(paths().invitation, JSON.stringify(invitation));
}

/** The device, with the files of a board of its own instead of this machine's. */
function device(): EnrolContext {
  const context = on.another();
  const { disk } = context.ports;
  const ofBoard: Disk = {
    ...disk,
    readText: (path) =>
      path.startsWith(on.root) ? disk.readText(path) : Promise.resolve(board[path] ?? null),
    list: (path) =>
      path === '/sys/class/net' ? Promise.resolve(['docker0', 'end0', 'lo']) : disk.list(path),
  };
  return { ports: { ...context.ports, disk: ofBoard }, paths: context.paths };
}

const joinFleet = (): Promise<EnrolOutcome> => enrol(device());

describe('a device that is invited', () => {
  it('shows who it is, and is told where it belongs', async () => {
    expect(await joinFleet()).toEqual({ kind: 'joined', overlord: overlord.url, device: 'kiosk-7' });
    expect(overlord.enrolments).toMatchObject([
      {
        token: 'enrol-0123456789abcdef',
        name: 'kiosk-7',
        publicKey: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
        evidence: {
          serial: '10000000abcdef01',
          model: 'Raspberry Pi 4 Model B Rev 1.5',
          machineId: '0123456789abcdef0123456789abcdef',
          mac: 'dc:a6:32:00:00:01',
        },
      },
    ]);
    expect(text(paths().identity.signers)).toBe(SIGNERS);
    expect(statSync(paths().identity.key).mode & 0o777).toBe(0o600);
    expect(statSync(paths().identity.dir).mode & 0o777).toBe(0o700);
  });

  it('has a configuration then with which it can check in, and a run is started', async () => {
    await joinFleet();
    const config = await readConfig(on.context.ports.disk, paths(), 'raspberrypi');
    expect(config).toMatchObject({
      device: 'kiosk-7',
      role: 'web',
      allowedSigners: paths().identity.signers,
    });
    const [source] = sourcesOf(config, on.context);
    expect(await source?.desired(null, { eager: true })).toBeNull();
    expect(overlord.checkIns).toHaveLength(1);
    expect(existsSync(paths().run.wake)).toBe(true);
    expect(existsSync(paths().invitation)).toBe(false);
  });

  it('is the same device when the answer was lost and it asks again', async () => {
    overlord.loseAnswers = 1;
    await expect(joinFleet()).rejects.toMatchObject({ problem: { code: 'source-unreachable' } });
    await joinFleet();
    const [first, second] = overlord.enrolments;
    expect(second?.publicKey).toBe(first?.publicKey);
  });

  it('asks again while an operator has not approved it, and changes nothing before', async () => {
    overlord.enrol = () => ({ state: 'waiting' });
    expect(await joinFleet()).toMatchObject({ kind: 'waiting' });
    expect(existsSync(paths().invitation)).toBe(true);
    expect(existsSync(paths().config)).toBe(false);
    overlord.enrol = () => ({ signers: SIGNERS });
    expect(await joinFleet()).toMatchObject({ kind: 'joined' });
  });

  it('takes the token from a file where the invitation names one', async () => {
    const file = join(on.root, 'token');
    put(file, 'enrol-from-a-file-0123\n');
    invite({ token: undefined, token_file: file });
    await joinFleet();
    expect(overlord.enrolments[0]?.token).toBe('enrol-from-a-file-0123');
  });

  it('on a copied card is a new device, and what it was is set aside', async () => {
    await joinFleet();
    invite();
    board['/proc/device-tree/serial-number'] = '10000000abcdef02\0';
    await joinFleet();
    const [first, second] = overlord.enrolments;
    expect(second?.publicKey).not.toBe(first?.publicKey);
    expect(readdirSync(join(on.root, 'device/var/lib/role-agent')).sort()).toEqual([
      'identity',
      'identity-of-kiosk-7',
    ]);
  });

  it('on a copied card that nobody has invited does not pretend to be the other', async () => {
    await joinFleet();
    board['/proc/device-tree/serial-number'] = '10000000abcdef02\0';
    const { ports } = device();
    const config = await readConfig(ports.disk, paths(), 'raspberrypi');
    const [source] = sourcesOf(config, { ...on.context, ports });
    await expect(source?.desired(null, { eager: true })).rejects.toMatchObject({
      problem: { code: 'not-enrolled', what: expect.stringContaining('copied from kiosk-7') },
    });
    expect(overlord.checkIns).toEqual([]);
  });

  it('without a serial number (a virtual machine) says so', async () => {
    delete board['/proc/device-tree/serial-number'];
    board['/proc/cpuinfo'] = 'processor\t: 0\nSerial\t\t: 0000000000000000\n';
    await joinFleet();
    expect(overlord.enrolments[0]?.evidence.serial).toBeNull();
  });
});

describe('a try that fails says why, and leaves the invitation', () => {
  const failure = async (): Promise<string> => {
    const { done, problem } = await tryToEnrol(device());
    expect(done).toBe(false);
    expect(existsSync(paths().invitation)).toBe(true);
    return problem === null ? 'no problem' : `${problem.code}: ${problem.what}`;
  };

  it.each([
    [401, 'unauthenticated', 'The enrolment token is over'],
    [409, 'token-used', 'The enrolment token has been used as often as it may be'],
    [403, 'device-revoked', 'This device has been revoked'],
  ])('when the overlord refuses (%i)', async (status, code, title) => {
    overlord.enrol = () => ({ refuse: { status, code, title } });
    expect(await failure()).toBe(`enrolment-refused: ${title}`);
  });

  it('when the overlord is busy, which is no refusal', async () => {
    overlord.enrol = () => ({ refuse: { status: 503, code: 'unavailable', title: 'Too many at once' } });
    expect(await failure()).toBe('source-unreachable: Too many at once');
  });

  it('when nobody is there', async () => {
    await overlord.stop();
    expect(await failure()).toContain('source-unreachable: It cannot be reached: ');
  });

  it('when the certificate is not by the authority that the invitation pins; nothing is shown then', async () => {
    invite({ ca: makeCertificates(folder, 'theirs').ca });
    expect(await failure()).toContain(
      'certificate-mismatch: The server is not the one that this device has pinned',
    );
    expect(overlord.enrolments).toEqual([]);
  });

  it.each([
    ['rubbish', 'is not JSON'],
    ['{"url":"http://overlord.example.org","issued_at":"2026-01-01T00:00:00Z"}', '/url must match pattern'],
    ['{"url":"https://o","issued_at":"2026-01-01T00:00:00Z"}', 'has neither `token` nor `token_file`'],
    [
      '{"url":"https://o","issued_at":"2026-01-01T00:00:00Z","tokn":"x"}',
      'has a field that is not known: tokn',
    ],
  ])('when the invitation is %s', async (invitation, what) => {
    put(paths().invitation, invitation);
    expect(await failure()).toContain(what);
  });

  it('when the configuration of a person names another overlord', async () => {
    put(paths().config, 'sources:\n  - overlord:\n      url: https://other.example.org\n');
    expect(await failure()).toContain('config-invalid: The file names another overlord');
  });
});

describe('a clock that is behind', () => {
  const set: string[][] = [];
  beforeEach(() => {
    set.length = 0;
  });

  /** A device whose clock is as given, and is corrected by a time server after some seconds, or never. */
  function devicePast({
    syncedAfter,
    settable = true,
  }: {
    syncedAfter: number;
    settable?: boolean;
  }): EnrolContext {
    const { ports, paths: places } = device();
    let slept = 0;
    let wall = '1970-01-01T00:00:10Z';
    return {
      paths: places,
      ports: {
        ...ports,
        clock: {
          ...ports.clock,
          now: () => ({ ...ports.clock.now(), wall: slept >= syncedAfter ? '2026-06-01T00:00:00Z' : wall }),
          sleep: (milliseconds) => {
            slept += milliseconds / 1000;
            return Promise.resolve();
          },
        },
        exec: {
          run: (command) => {
            if (command.argv[0] !== 'date') return ports.exec.run(command);
            set.push([...command.argv]);
            if (settable) wall = command.argv[2]?.replace('--set=', '') ?? wall;
            const code = settable ? 0 : 1;
            return Promise.resolve({ code, stdout: Buffer.alloc(0), stderr: 'not permitted' });
          },
        },
      },
    };
  }

  it('is left to a time server for 90 s', async () => {
    await enrol(devicePast({ syncedAfter: 60 }));
    expect(set).toEqual([]);
  });

  it('is then set to the moment at which the invitation was written', async () => {
    invite({ issued_at: '2026-05-01T00:00:00Z' });
    await enrol(devicePast({ syncedAfter: Number.POSITIVE_INFINITY }));
    expect(set).toEqual([['date', '--utc', '--set=2026-05-01T00:00:00Z']]);
  });

  it('that cannot be set is said to be wrong, and nothing is risked', async () => {
    const stuck = devicePast({ syncedAfter: Number.POSITIVE_INFINITY, settable: false });
    await expect(enrol(stuck)).rejects.toMatchObject({ problem: { code: 'clock-wrong' } });
    expect(overlord.enrolments).toEqual([]);
  });
});

describe('the configuration of a person', () => {
  const GIT = `# My kiosk.
role: web # as in the repo
allowed_signers: /etc/role-agent/mine
sources:
  - git:
      url: https://git.example.org/fleet.git
`;

  it('keeps all that it says, and the overlord comes first', async () => {
    put(paths().config, GIT);
    await joinFleet();
    expect(text(paths().config)).toBe(
      GIT.replace(
        'sources:\n',
        `sources:\n  - overlord:\n      url: ${overlord.url}\n      ca: ${paths().identity.ca}\n`,
      ),
    );
  });

  it('that names this overlord already is not touched', async () => {
    const mine = `sources: [{overlord: {url: "${overlord.url}", ca: ${paths().identity.ca}}}]\n`;
    put(paths().config, mine);
    await joinFleet();
    expect(text(paths().config)).toBe(mine);
  });

  it('that an earlier enrolment wrote follows the device to another overlord', async () => {
    await joinFleet();
    const second = await FakeOverlord.start(ours);
    second.enrol = () => ({ signers: SIGNERS });
    invite({ url: second.url });
    await joinFleet();
    expect(text(paths().config)).toContain(`url: ${second.url}\n`);
    expect(text(paths().config)).not.toContain(`url: ${overlord.url}\n`);
    await second.stop();
  });
});

it('without an invitation there is nothing to do', async () => {
  rmSync(paths().invitation);
  mkdirSync(paths().identity.dir, { recursive: true });
  expect(await joinFleet()).toEqual({ kind: 'not-invited' });
  expect(overlord.requests).toEqual([]);
});
