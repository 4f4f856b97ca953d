/** The superuser, and the database of the fleet. */
export const OWNER = 'fleet';
export const DATABASE = 'fleet';

/**
 * What differs from PostgreSQL's defaults; in the order and form of the command line, where it wins over the files.
 * One machine, one user, no network: small memory, few helper processes, durability in full.
 */
export function settings(socketFolder: string): string[] {
  const values: Readonly<Record<string, string | number>> = {
    cluster_name: 'metrica-fleet',
    // No TCP at all; only the owner and root get to the socket.
    listen_addresses: '',
    port: 5432,
    unix_socket_directories: socketFolder,
    unix_socket_permissions: '0700',
    max_connections: 100,
    shared_buffers: '32MB',
    max_wal_size: '256MB',
    // An acknowledged report survives a power cut. The defaults, but not for anybody to change in a file.
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    // Nobody replicates from here; backups are copies of the tables.
    wal_level: 'minimal',
    max_wal_senders: 0,
    max_logical_replication_workers: 0,
    io_method: 'sync',
    autovacuum_max_workers: 2,
    max_parallel_workers: 2,
    jit: 'off',
    log_checkpoints: 'off',
    log_line_prefix: '%m [%p] ',
    log_timezone: 'UTC',
    timezone: 'UTC',
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** For clients, ours and `psql` alike. There is no password: getting to the socket is the permission. */
export function urlOf(socketFolder: string, database: string): string {
  return `postgresql:///${database}?host=${encodeURIComponent(socketFolder)}&user=${OWNER}`;
}
