import { spawn } from 'node:child_process';

/**
 * Shows the agent's own log as journald has it, and returns journalctl's exit code. With `json` each line is one JSON
 * object, as the agent wrote it; with `follow` it goes on until it is interrupted, hence no deadline.
 */
export function showJournal(options: {
  readonly json: boolean;
  readonly follow: boolean;
  readonly limit: number;
}): Promise<number> {
  const args = [
    ...[
      '--no-pager',
      '-u',
      'role-agent.service',
      '-u',
      'role-agent-pull.service',
      '-n',
      String(options.limit),
    ],
    ...['-o', options.json ? 'cat' : 'short-iso'],
    ...(options.follow ? ['--follow'] : []),
  ];
  return new Promise((resolve, reject) => {
    const child = spawn('journalctl', args, { stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}
