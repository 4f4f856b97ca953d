import { recorder, type Log } from '@metrica-fleet/agent';

/** Lines that a host keeps of its agent's log. */
const KEPT = 150;

/** The log of a simulated host: as much as journald would be asked for. */
export class HostJournal {
  private lines: string[] = [];

  tail(): readonly string[] {
    return this.lines;
  }

  /** The log of one run. */
  open(): Log {
    const { record, transcript } = recorder();
    const write =
      (level: 'debug' | 'notice' | 'warning' | 'error') =>
      (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
        record(level, message, fields);
        if (level !== 'debug') this.keep(`${level}: ${message} ${JSON.stringify(fields)}`);
      };
    return {
      transcript,
      debug: write('debug'),
      notice: write('notice'),
      warning: write('warning'),
      error: write('error'),
    };
  }

  private keep(line: string): void {
    this.lines.push(`${new Date().toISOString().slice(0, 19)}Z role-agent ${line}`.slice(0, 1_024));
    if (this.lines.length > KEPT) this.lines.shift();
  }
}
