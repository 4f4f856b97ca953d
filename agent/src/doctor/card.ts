import { ok, problem, unknown, warning, type Finding } from './finding.ts';
import { namesAt, textAt, topic, type KernelLog, type Patient } from './patient.ts';

export interface CardFacts {
  /** Cards and eMMC chips that tell how worn they are. */
  readonly wear: readonly Wear[];
  /** `/proc/self/mounts`. */
  readonly mounts: string;
  /** Errors that each ext4 file system has counted in its superblock, by device. */
  readonly errors: Readonly<Record<string, number>>;
  readonly log: KernelLog;
  /** Where the agent and Docker write. */
  readonly places: readonly string[];
}

interface Wear {
  readonly device: string;
  /** Tenths of the life that are used up, of two kinds of cells: 1 is up to 10 %, 11 is past the end. */
  readonly lifeTime: readonly number[];
  /** Reserve blocks: 1 normal, 2 four fifths are used, 3 nearly all. 0: not told. */
  readonly preEol: number;
}

const WORN = 9;
const WORN_OUT = 11;

async function gatherCard(patient: Patient): Promise<CardFacts> {
  const disks = (await namesAt(patient, '/sys/block')).filter((name) => /^mmcblk\d+$/.test(name));
  const wear = await Promise.all(disks.map((device) => wearOf(patient, device)));
  const systems = await namesAt(patient, '/sys/fs/ext4');
  const counted = await Promise.all(
    systems.map(
      async (device) => [device, await textAt(patient, `/sys/fs/ext4/${device}/errors_count`)] as const,
    ),
  );
  return {
    wear: wear.filter((one) => one !== null),
    mounts: (await textAt(patient, '/proc/self/mounts')) ?? '',
    errors: Object.fromEntries(
      counted.flatMap(([device, text]) => (text === null ? [] : [[device, Number(text.trim())]])),
    ),
    log: await patient.kernelLog(),
    places: ['/var/lib/role-agent', '/opt/metrica', '/var/lib/docker'],
  };
}

async function wearOf(patient: Patient, device: string): Promise<Wear | null> {
  const folder = `/sys/block/${device}/device`;
  const life = await textAt(patient, `${folder}/life_time`);
  if (life === null) return null;
  const preEol = Number((await textAt(patient, `${folder}/pre_eol_info`))?.trim() ?? 0);
  return { device, lifeTime: life.trim().split(/\s+/).map(Number), preEol };
}

export function judgeCard(facts: CardFacts): readonly Finding[] {
  return [judgeWear(facts.wear), judgeMounts(facts), judgeErrors(facts)];
}

function judgeWear(wear: readonly Wear[]): Finding {
  const check = 'card-wear';
  if (wear.length === 0) return ok(check, 'The card does not tell how worn it is, as most do not');
  const why = 'A worn card loses what was written last, then everything';
  const remedy = 'Replace the card; the agent brings everything but `state:` of the roles back by itself';
  for (const { device, lifeTime, preEol } of wear) {
    const used = Math.max(...lifeTime);
    if (used >= WORN_OUT || preEol >= 3) return problem(check, `${device} is past its life`, { why, remedy });
    if (used >= WORN || preEol === 2) {
      const share = preEol === 2 ? 'four fifths of its reserve' : `up to ${used * 10} % of its life`;
      return warning(check, `${device} has used ${share}`, { why, remedy });
    }
  }
  const names = wear.map(({ device, lifeTime }) => `${device} up to ${Math.max(...lifeTime) * 10} %`);
  return ok(check, `Life that is used: ${names.join(', ')}`);
}

/** A mount counts for a place if it is the one with the longest path above it; of two at the same path the later. */
function judgeMounts({ mounts, places }: CardFacts): Finding {
  const check = 'card-writable';
  const rows = mounts.split('\n').flatMap((line) => {
    const [device = '', path, type = '', options = ''] = line.split(' ');
    return path === undefined ? [] : [{ device, path, type, options: options.split(',') }];
  });
  if (rows.length === 0) return unknown(check, '/proc/self/mounts cannot be read');
  for (const place of places) {
    const above = rows.filter(({ path }) => path === '/' || `${place}/`.startsWith(`${path}/`));
    const mount = above.reduce<(typeof rows)[number] | undefined>(
      (best, row) => (best !== undefined && best.path.length > row.path.length ? best : row),
      undefined,
    );
    if (mount?.options.includes('ro') === true) {
      return problem(check, `${mount.path} (${mount.device}) is mounted read-only`, {
        why: 'Nothing can be updated or remembered; the kernel does that by itself when a card fails',
        remedy: 'Look at `journalctl -k` for the cause; where it comes again, replace the card',
        command: `mount -o remount,rw ${mount.path}`,
      });
    }
  }
  return ok(check, 'What has to be written can be written');
}

const FAILURES =
  /I\/O error.*\b(mmcblk|sd[a-z]|nvme)|EXT4-fs error|Remounting filesystem read-only|mmc\d+: (?:error|Card stuck|Timeout waiting)/;

function judgeErrors({ errors, log }: CardFacts): Finding {
  const check = 'card-errors';
  const damaged = Object.entries(errors).find(([, count]) => count > 0);
  const lines = log?.filter((line) => FAILURES.test(line)) ?? [];
  const why = 'Errors of a card do not heal: files become empty or wrong, images first';
  if (lines.length > 0) {
    return problem(
      check,
      `The kernel has logged ${lines.length} disk errors since the start: ${(lines.at(-1) ?? '').slice(0, 160)}`,
      {
        why,
        remedy: 'Check power first (undervoltage does this, too), then replace the card',
      },
    );
  }
  if (damaged !== undefined) {
    const [device, count] = damaged;
    return warning(check, `The file system on ${device} has counted ${count} errors`, {
      why,
      remedy:
        'Add `fsck.mode=force fsck.repair=yes` to the kernel line for one start, which sets the count back; where it comes again, replace the card',
    });
  }
  if (log === null) return unknown(check, 'The log of the kernel cannot be read by this user');
  return ok(check, 'No disk errors since the start');
}

export const CARD = topic('card', gatherCard, judgeCard);
