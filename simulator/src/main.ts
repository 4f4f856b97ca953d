import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { serveControls } from './control.ts';
import { makeFleet } from './fleet.ts';
import { readInvitations } from './invitations.ts';
import { parseOptions, UsageError, type Options } from './options.ts';
import { Timeline } from './timeline.ts';

const EXIT = { done: 0, failed: 1, usage: 64 } as const;

void start();

async function start(): Promise<void> {
  try {
    await main(parseOptions(process.argv.slice(2)));
    process.exit(EXIT.done);
  } catch (thrown) {
    process.stderr.write(`simulator: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
    process.exit(thrown instanceof UsageError ? EXIT.usage : EXIT.failed);
  }
}

/** argv and standard input → devices → until a signal. */
async function main(options: Options): Promise<void> {
  const stop = Promise.race((['SIGTERM', 'SIGINT'] as const).map((signal) => once(process, signal)));
  const { overlord: url, seed, speed, faults, control } = options;
  const invitations = await readInvitations(process.stdin);
  const ca = options.ca === null ? null : await readFile(options.ca, 'utf8');
  const timeline = new Timeline(speed);
  const fleet = makeFleet({ overlord: { url, ca }, invitations, seed, faults, timeline, tell: say });
  const server = await serveControls(fleet, control);
  say({ event: 'ready', devices: fleet.size, control });
  for (const device of fleet.values()) await device.install();
  await stop;
  timeline.stop();
  for (const device of fleet.values()) device.unplug();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
