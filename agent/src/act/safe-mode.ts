import { problemOf } from '@metrica-fleet/protocol';
import type { Effect } from '../decide/vocabulary.ts';
import { parseReason, type SafeModeReason } from '../safe-mode/reason.ts';
import type { Context } from './context.ts';
import { collectLogs } from './orders/collect-logs.ts';
import { COMMON } from './stack/bring-up.ts';

const UNIT = 'role-agent-safe-mode.service';
/** Milliseconds. Stopping the page waits for its container. */
const DEADLINE = 60_000;

/**
 * Stops what failed, writes down why, and starts the unit that shows it and lets people in. Each part is tried whatever
 * becomes of the others, since any of them may be what is broken. Repeated by every run in safe mode; then it changes
 * nothing, unless a container has come back or the device was rebooted.
 */
export async function enterSafeMode(
  effect: Extract<Effect, { kind: 'enter-safe' }>,
  context: Context,
): Promise<null> {
  const reason = await reasonOf(effect, context);
  await attempt(context, 'stop the stack', () => stopStacks(context));
  await attempt(context, 'write down the reason', () => keepReason(context, reason));
  await attempt(context, `start ${UNIT}`, () => systemctl(context, 'start'));
  return null;
}

/** Ends the page, and what came with it. Nothing where there is none. */
export async function leaveSafeMode(context: Context): Promise<void> {
  const { disk } = context.ports;
  if ((await disk.stat(context.paths.run.safeMode)) === null) return;
  await attempt(context, `stop ${UNIT}`, () => systemctl(context, 'stop'));
  await disk.remove('safe-mode.forget', context.paths.run.safeMode);
}

/** The log is taken once, before the stack is gone. Null: the reason is written already. */
async function reasonOf(
  { failed, safe }: Extract<Effect, { kind: 'enter-safe' }>,
  context: Context,
): Promise<SafeModeReason | null> {
  const { ports, paths, config } = context;
  const before = parseReason(await ports.disk.readText(paths.run.safeMode));
  const by = safe.held ? 'order' : 'failure';
  if (before?.since === safe.since && before.by === by && before.problem.what === safe.problem.what)
    return null;
  let log = '';
  await attempt(context, 'collect the logs', async () => {
    log = await collectLogs(context, failed);
  });
  return {
    schemaVersion: 1,
    device: config.device,
    role: failed?.release.role ?? null,
    commit: failed?.release.commit ?? null,
    since: safe.since,
    by,
    problem: safe.problem,
    log,
  };
}

async function keepReason({ ports, paths }: Context, reason: SafeModeReason | null): Promise<void> {
  if (reason === null) return;
  await ports.disk.replace('safe-mode.reason', paths.run.safeMode, `${JSON.stringify(reason)}\n`);
}

async function stopStacks({ ports }: Context): Promise<void> {
  for (const project of await ports.engine.projects()) {
    if (project !== COMMON) await ports.engine.down('safe-mode.down', project);
  }
}

async function systemctl({ ports }: Context, verb: 'start' | 'stop'): Promise<void> {
  const { code, stderr } = await ports.exec.run({
    label: `safe-mode.${verb}`,
    argv: ['systemctl', verb, UNIT],
    deadline: DEADLINE,
  });
  if (code !== 0) throw new Error(stderr.trim());
}

async function attempt({ ports }: Context, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    ports.log.warning(`Safe mode could not ${what}`, { problem: problemOf(thrown) });
  }
}
