import type { Log } from '../log.ts';

/** Priorities of syslog(3), as journald reads them from the `<N>` in front of a line. */
const PRIORITY = { debug: 7, notice: 5, warning: 4, error: 3 } as const;

/**
 * One JSON object a line on stdout. Under systemd each line starts with its priority, so that `LogLevelMax=` and
 * `journalctl -p` work; by hand it does not.
 */
export function realLog(run: string, underSystemd: boolean): Log {
  const write = (
    level: keyof typeof PRIORITY,
    message: string,
    fields: Readonly<Record<string, unknown>> = {},
  ): void => {
    const prefix = underSystemd ? `<${PRIORITY[level]}>` : '';
    process.stdout.write(`${prefix}${JSON.stringify({ level, message, run, ...fields })}\n`);
  };
  return {
    debug: (message, fields) => write('debug', message, fields),
    notice: (message, fields) => write('notice', message, fields),
    warning: (message, fields) => write('warning', message, fields),
    error: (message, fields) => write('error', message, fields),
  };
}
