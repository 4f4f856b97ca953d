import type { BaseLogger } from 'pino';

/** What the database layer needs of a log; any pino logger is one. */
export type DatabaseLog = Pick<BaseLogger, 'debug' | 'info' | 'warn' | 'error'>;
