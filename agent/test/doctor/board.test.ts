import { describe, expect, it } from 'vitest';
import { judgeCard, type CardFacts } from '../../src/doctor/card.ts';
import { judgePower, type PowerFacts } from '../../src/doctor/power.ts';
import { judgeSpace, type SpaceFacts } from '../../src/doctor/space.ts';
import { judgeTime, type TimeFacts } from '../../src/doctor/time.ts';
import { itFinds, type Case } from './cases.ts';

const GIB = 1024 ** 3;
const POWER: PowerFacts = { model: 'Raspberry Pi 4 Model B Rev 1.4', throttled: 0, alarm: false, log: [] };
const CARD: CardFacts = {
  wear: [{ device: 'mmcblk0', lifeTime: [1, 2], preEol: 1 }],
  mounts: '/dev/mmcblk0p2 / ext4 rw,noatime 0 0\n/dev/mmcblk0p1 /boot/firmware vfat rw 0 0\n',
  errors: { mmcblk0p2: 0 },
  log: [],
  places: ['/var/lib/role-agent', '/opt/metrica', '/var/lib/docker'],
};
const ROOT = { path: '/', size: 29 * GIB, free: 20 * GIB, inodes: 1_900_000, freeInodes: 1_700_000 };
const SPACE: SpaceFacts = {
  systems: [ROOT],
  meminfo: 'MemTotal:        948304 kB\nMemFree:          90000 kB\nMemAvailable:    600000 kB\n',
  oomKills: 0,
};
const TIME: TimeFacts = {
  now: '2026-11-24T00:00:00Z',
  passed: '2026-11-23T00:00:00Z',
  timedatectl: 'CanNTP=yes\nNTP=yes\nNTPSynchronized=yes',
};

const CASES: readonly Case[] = [
  [
    'a clock from before this agent was made',
    judgeTime({ ...TIME, now: '1970-01-01T00:01:00Z' }),
    'clock',
    'problem',
    /1970.*date --utc --set='2026-11-23T00:00:00Z'/,
  ],
  [
    'no time service',
    judgeTime({ ...TIME, timedatectl: 'CanNTP=no\nNTP=no\nNTPSynchronized=no' }),
    'time-sync',
    'warning',
    /apt-get install systemd-timesyncd/,
  ],
  [
    'a time service that is off',
    judgeTime({ ...TIME, timedatectl: 'CanNTP=yes\nNTP=no\nNTPSynchronized=no' }),
    'time-sync',
    'warning',
    /timedatectl set-ntp true/,
  ],
  [
    'a time service that nobody answers',
    judgeTime({ ...TIME, timedatectl: 'CanNTP=yes\nNTP=yes\nNTPSynchronized=no' }),
    'time-sync',
    'warning',
    /UDP port 123/,
  ],
  [
    'undervoltage now',
    judgePower({ ...POWER, throttled: 0x50005 }),
    'power',
    'problem',
    /right now.*power supply/,
  ],
  [
    'undervoltage now, by the sensor alone',
    judgePower({ ...POWER, throttled: null, alarm: true }),
    'power',
    'problem',
    /right now/,
  ],
  [
    'undervoltage since the start',
    judgePower({ ...POWER, throttled: 0x50000 }),
    'power',
    'warning',
    /since the start/,
  ],
  [
    'undervoltage in the log of the kernel',
    judgePower({ ...POWER, throttled: null, alarm: null, log: ['hwmon hwmon1: Undervoltage detected!'] }),
    'power',
    'warning',
    /since the start/,
  ],
  [
    'a board that is slowed down now',
    judgePower({ ...POWER, throttled: 0x8 }),
    'temperature',
    'warning',
    /right now/,
  ],
  [
    'a board that was slowed down',
    judgePower({ ...POWER, throttled: 0x40000 }),
    'temperature',
    'warning',
    /was slowed down/,
  ],
  [
    'a Pi that nobody may ask',
    judgePower({ ...POWER, throttled: null, alarm: null, log: null }),
    'power',
    'unknown',
    /this user/,
  ],
  [
    'a card past its life',
    judgeCard({ ...CARD, wear: [{ device: 'mmcblk0', lifeTime: [11, 3], preEol: 1 }] }),
    'card-wear',
    'problem',
    /past its life.*Replace/,
  ],
  [
    'a card that is nearly worn',
    judgeCard({ ...CARD, wear: [{ device: 'mmcblk0', lifeTime: [9, 3], preEol: 1 }] }),
    'card-wear',
    'warning',
    /90 %/,
  ],
  [
    'a card with few reserves',
    judgeCard({ ...CARD, wear: [{ device: 'mmcblk0', lifeTime: [1, 1], preEol: 2 }] }),
    'card-wear',
    'warning',
    /four fifths/,
  ],
  [
    'a root file system that has gone read-only',
    judgeCard({ ...CARD, mounts: '/dev/mmcblk0p2 / ext4 ro 0 0\n' }),
    'card-writable',
    'problem',
    /read-only.*mount -o remount,rw \//,
  ],
  [
    'a disk of Docker’s own that has gone read-only',
    judgeCard({ ...CARD, mounts: `${CARD.mounts}/dev/sda1 /var/lib/docker ext4 ro 0 0\n` }),
    'card-writable',
    'problem',
    /\/var\/lib\/docker \(\/dev\/sda1\)/,
  ],
  [
    'I/O errors',
    judgeCard({ ...CARD, log: ['usb 1-1: new device', 'I/O error, dev mmcblk0, sector 1234'] }),
    'card-errors',
    'problem',
    /1 disk errors.*sector 1234/,
  ],
  [
    'errors that ext4 has counted',
    judgeCard({ ...CARD, errors: { mmcblk0p2: 3 } }),
    'card-errors',
    'warning',
    /mmcblk0p2 has counted 3.*fsck\.mode=force/,
  ],
  [
    'a log of the kernel that this user may not read',
    judgeCard({ ...CARD, log: null }),
    'card-errors',
    'unknown',
    /this user/,
  ],
  [
    'a full disk',
    judgeSpace({ ...SPACE, systems: [{ ...ROOT, free: 10 * 1024 ** 2 }] }),
    'disk-space',
    'problem',
    /10 MiB of .* free on \//,
  ],
  [
    'a disk with little room',
    judgeSpace({ ...SPACE, systems: [{ ...ROOT, free: 300 * 1024 ** 2 }] }),
    'disk-space',
    'warning',
    /may not fit.*docker system df/,
  ],
  [
    'a disk without inodes',
    judgeSpace({ ...SPACE, systems: [{ ...ROOT, freeInodes: 12 }] }),
    'inodes',
    'problem',
    /12 of 1900000.*du -x --inodes/,
  ],
  [
    'processes killed for memory',
    judgeSpace({ ...SPACE, oomKills: 4 }),
    'memory',
    'warning',
    /killed 4 processes.*mem_limit/,
  ],
  [
    'no memory to spare',
    judgeSpace({ ...SPACE, meminfo: 'MemTotal: 400000 kB\nMemAvailable: 20000 kB\n' }),
    'memory',
    'warning',
    /19 MiB of 390 MiB/,
  ],
];

describe('the doctor, of the board, its card and its clock,', () => {
  itFinds(CASES);

  it('finds nothing where all is well', () => {
    const findings = [judgeTime(TIME), judgePower(POWER), judgeCard(CARD), judgeSpace(SPACE)].flat();
    expect(findings.filter(({ severity }) => severity !== 'ok')).toEqual([]);
    expect(findings.length).toBeGreaterThan(3);
  });

  it('makes nothing of firmware that other computers do not have', () => {
    const none = { throttled: null, alarm: null, log: null };
    expect(judgePower({ model: null, ...none })).toMatchObject([{ check: 'power', severity: 'ok' }]);
  });
});
