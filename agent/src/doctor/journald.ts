import { basename } from 'node:path/posix';
import { ok, unknown, warning, type Finding } from './finding.ts';
import { namesAt, says, topic, type Patient } from './patient.ts';

/** A setting of journald that counts, and the line that it stands on. */
interface Setting {
  readonly value: string;
  /** `<file>:<line>`, for people. */
  readonly where: string;
}

/** Where journald keeps its lines, and how many. */
export interface JournaldFacts {
  /** `systemd-analyze cat-config systemd/journald.conf`; null where nobody can tell. */
  readonly config: string | null;
  /** Whether the folder on the card exists, which `Storage=auto` goes by. */
  readonly folder: boolean;
}

async function gatherJournald(patient: Patient): Promise<JournaldFacts> {
  const said = await says(patient, 'doctor.journald', [
    'systemd-analyze',
    'cat-config',
    'systemd/journald.conf',
  ]);
  return {
    config: said?.code === 0 ? said.out : null,
    folder: (await namesAt(patient, '/var/log')).includes('journal'),
  };
}

const CHECK = 'journald';
const APPLY = 'systemctl restart systemd-journald && journalctl --flush';
const WHY_VOLATILE = 'The cause of every reboot and crash is lost with it';

export function judgeJournald({ config, folder }: JournaldFacts): readonly Finding[] {
  if (config === null) return [unknown(CHECK, 'systemd-analyze does not say how journald is set up')];
  const storage = settingIn(config, 'Storage');
  const limit = settingIn(config, 'SystemMaxUse');
  const mode = storage?.value ?? 'auto';
  const persistent = mode === 'persistent' || (mode === 'auto' && folder);
  if (!persistent) return [volatile(mode, storage)];
  if (limit !== null) return [ok(CHECK, `The journal is kept on the card, ${limit.value} at most`)];
  return [
    warning(CHECK, 'The journal is kept on the card without a limit of its own', {
      why: 'It may take a tenth of the card, 4 GB at most, and writes more than it needs to',
      command: `mkdir -p /etc/systemd/journald.conf.d && printf '[Journal]\\nSystemMaxUse=64M\\n' > /etc/systemd/journald.conf.d/99-size.conf && systemctl restart systemd-journald`,
    }),
  ];
}

function volatile(mode: string, storage: Setting | null): Finding {
  const words = { why: WHY_VOLATILE };
  if (storage === null) {
    const seen = 'The journal is in memory alone: there is no /var/log/journal';
    return warning(CHECK, seen, { ...words, command: `mkdir -p /var/log/journal && ${APPLY}` });
  }
  const seen = `The journal is in memory alone: Storage=${mode} in ${storage.where}`;
  const [file = ''] = storage.where.split(':');
  // What a package brought comes back with its next version: a file of the same name under /etc takes its place.
  const mend = file.startsWith('/usr/')
    ? `mkdir -p /etc/systemd/journald.conf.d && printf '[Journal]\\nStorage=persistent\\nSystemMaxUse=64M\\n' > /etc/systemd/journald.conf.d/${basename(file)}`
    : `sed -i 's/^ *Storage *=.*/Storage=persistent/' ${file}`;
  return warning(CHECK, seen, { ...words, command: `${mend} && ${APPLY}` });
}

/** The last line that sets it wins, files in the order of systemd; `# <path>` is the title of each. An empty value takes it back. */
function settingIn(config: string, name: string): Setting | null {
  let file = '';
  let line = 0;
  let found: Setting | null = null;
  for (const text of config.split('\n')) {
    line += 1;
    const title = /^# (\/\S+\.conf)$/.exec(text)?.[1];
    if (title !== undefined) {
      file = title;
      line = 0;
      continue;
    }
    const value = new RegExp(`^\\s*${name}\\s*=\\s*(.*?)\\s*$`).exec(text)?.[1];
    if (value !== undefined) found = value === '' ? null : { value, where: `${file}:${line}` };
  }
  return found;
}

export const JOURNALD = topic('journal', gatherJournald, judgeJournald);
