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
  const write = underSystemd ? forJournal(run) : forPerson();
  return {
    debug: (message, fields) => write('debug', message, fields ?? {}),
    notice: (message, fields) => write('notice', message, fields ?? {}),
    warning: (message, fields) => write('warning', message, fields ?? {}),
    error: (message, fields) => write('error', message, fields ?? {}),
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
    const details = Object.entries(fields).map(([name, value]) => `${name} ${inWords(value)}`);
    const line = `${level === 'warning' || level === 'error' ? `${level}: ` : ''}${[message, ...details].join('  ')}\n`;
    // While a gate waits it says the same each second; once is enough for a person.
    if (line !== last) process.stderr.write(line);
    last = line;
  };
}

function inWords(value: unknown): string {
  if (typeof value === 'string') return /^[0-9a-f]{40,}$/.test(value) ? value.slice(0, 12) : value;
  if (Array.isArray(value)) return value.map(inWords).join(', ');
  return JSON.stringify(value);
}
