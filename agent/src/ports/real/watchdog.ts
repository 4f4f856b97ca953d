import { spawn } from 'node:child_process';

/** Milliseconds between signs of life; `WatchdogSec=` of the unit is four times that. */
const PERIOD = 30_000;

/**
 * Tells systemd that the event loop turns, for as long as the returned function has not been called. Node cannot open
 * unix datagram sockets, hence the `systemd-notify` process; the unit says `NotifyAccess=all`.
 */
export function feedWatchdog(): () => void {
  if (process.env['NOTIFY_SOCKET'] === undefined) return () => undefined;
  const timer = setInterval(() => {
    const child = spawn('systemd-notify', ['WATCHDOG=1'], { stdio: 'ignore', timeout: PERIOD });
    child.on('error', () => undefined);
  }, PERIOD);
  return () => clearInterval(timer);
}
