/** Structured lines for journald. `notice` is for what changed something; a run that changes nothing logs below it. */
export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  notice(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warning(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** What was logged so far, for people, oldest line first; of very much the newest 32 KiB. */
  transcript(): string;
}
