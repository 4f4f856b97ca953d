import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { ConfigError, readConfig } from './config.ts';
import { startOverlord } from './overlord.ts';

/** This file is `overlord/api/dist/src/main.js` when it runs. */
const PACKAGE = join(import.meta.dirname, '../..');
const EXIT = { failed: 1, usage: 64 } as const;

void main();

/** argv and environment → configuration → overlord. Says in one line of JSON that it is ready, then until SIGTERM. */
async function main(): Promise<void> {
  try {
    const config = readConfig(process.argv.slice(2), process.env);
    const log = pino({
      level: config.logLevel,
      base: null,
      redact: ['req.headers.authorization', 'req.headers.cookie'],
    });
    const { version } = JSON.parse(await readFile(join(PACKAGE, 'package.json'), 'utf8')) as {
      version: string;
    };
    const migrations = join(PACKAGE, '../supabase/migrations');
    const stop = new Promise<void>((resolve) => {
      // Not `once`: the library that runs git ends us by the same signal when nobody else listens any more.
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve());
    });
    const overlord = await startOverlord({ config, log, version, migrations });
    const { url, localUrl, firstAdminUrl } = overlord;
    process.stdout.write(`${JSON.stringify({ ready: true, url, localUrl, firstAdminUrl })}\n`);
    await stop;
    log.info('Stopping');
    await overlord.stop();
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    process.stderr.write(`overlord: ${message}\n`);
    process.exitCode = thrown instanceof ConfigError ? EXIT.usage : EXIT.failed;
    // Loops that were begun must not keep a failed start alive.
    process.exit();
  }
}
