import type { Log } from '../log.ts';

/** Priorities of syslog(3), as journald reads them from the `<N>` in front of a line. */
const PRIORITY = { debug: 7, notice: 5, warning: 4, error: 3 } as const;

type Level = keyof typeof PRIORITY;
type Fields = Readonly<Record<string, unknown>>;

/**
 * Under systemd: one JSON object a line on stdout behind its priority, so that `LogLevelMax=` and `journalctl -p` work.
 * By hand: the same as sentences on stderr, so that stdout belongs to what the command prints.
 */
export function realLog(run: string, underSystemd: boolean): Log {
  const { record, transcript } = recorder();
  const print = underSystemd ? forJournal(run) : forPerson();
  const write: Write = (level, message, fields) => {
    record(level, message, fields);
    print(level, message, fields);
  };
  return {
    transcript,
    debug: (message, fields) => write('debug', message, fields ?? {}),
    notice: (message, fields) => write('notice', message, fields ?? {}),
    warning: (message, fields) => write('warning', message, fields ?? {}),
    error: (message, fields) => write('error', message, fields ?? {}),
  };
}

/** Characters of the transcript that are kept: what a report takes, with room for what is more than a byte. */
const TRANSCRIPT = 28 * 1024;

/** Remembers the newest lines for the transcript of a log, cut at the front. */
export function recorder(): { readonly record: Write; readonly transcript: () => string } {
  const lines: string[] = [];
  let length = 0;
  return {
    record(level, message, fields) {
      const time = new Date().toISOString().slice(11, 19);
      const line = `${time} ${sentence(level, message, fields)}`.slice(0, 4_096);
      if (lines.at(-1)?.slice(9) === line.slice(9)) return;
      lines.push(line);
      length += line.length + 1;
      while (length > TRANSCRIPT) length -= (lines.shift()?.length ?? 0) + 1;
    },
    transcript: () => lines.join('\n'),
  };
}

type Write = (level: Level, message: string, fields: Fields) => void;

function forJournal(run: string): Write {
  return (level, message, fields) => {
    process.stdout.write(`<${PRIORITY[level]}>${JSON.stringify({ level, message, run, ...fields })}\n`);
  };
}

function forPerson(): Write {
  let last = '';
  return (level, message, fields) => {
    const line = `${sentence(level, message, fields)}\n`;
    // While a gate waits it says the same each second; once is enough for a person.
    if (line !== last) process.stderr.write(line);
    last = line;
  };
}

function sentence(level: Level, message: string, fields: Fields): string {
  const details = Object.entries(fields).map(([name, value]) => `${name} ${inWords(value)}`);
  return `${level === 'warning' || level === 'error' ? `${level}: ` : ''}${[message, ...details].join('  ')}`;
}

function inWords(value: unknown): string {
  if (typeof value === 'string') return /^[0-9a-f]{40,}$/.test(value) ? value.slice(0, 12) : value;
  if (Array.isArray(value)) return value.map(inWords).join(', ');
  return JSON.stringify(value);
}
