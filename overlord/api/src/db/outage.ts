import pg from 'pg';

/** SQLSTATE classes that blame the server or the way to it: connection, resources, shut down or cancelled, its disk.  */
const OF_THE_SERVER = /^(08|53|57|58|25P03)/;

/**
 * True for an error that says that the database cannot be used just now, and false for one about what was asked of it.
 */
export function isOutage(thrown: unknown): boolean {
  if (thrown instanceof pg.DatabaseError) return OF_THE_SERVER.test(thrown.code ?? '');
  if (!(thrown instanceof Error)) return false;
  // Of sockets; and of pg itself, which has no codes: «Connection terminated», «timeout expired».
  return 'syscall' in thrown || /\b(connection|connect|timeout|not queryable)\b/i.test(thrown.message);
}
