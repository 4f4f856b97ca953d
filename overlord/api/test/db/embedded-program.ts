import { startEmbedded } from '../../src/db/embedded/embedded.ts';

/** What an overlord does with its database, as a program: `embedded-program FOLDER`. Bundled by `programs.ts`. */
const log = (fields: object | string, message = ''): void => {
  process.stderr.write(`${typeof fields === 'string' ? fields : `${message} ${JSON.stringify(fields)}`}\n`);
};

try {
  const started = performance.now();
  const embedded = await startEmbedded({
    folder: process.argv[2] ?? '',
    log: { debug: log, info: log, warn: log, error: log },
  });
  const took = Math.round(performance.now() - started);
  const stop = (): void => void embedded.stop().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.stdout.write(`${JSON.stringify({ url: embedded.url, pid: embedded.pid(), took })}\n`);
} catch (error) {
  const { code, message } = error as Error & { code?: string };
  process.stderr.write(`${code ?? 'no code'}: ${message}\n`);
  process.exitCode = 1;
}
