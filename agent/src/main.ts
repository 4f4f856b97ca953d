import type { Status } from '@metrica-fleet/protocol';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Context } from './act/context.ts';
import { runPullWorker } from './act/pull-worker.ts';
import { buildContext } from './build-context.ts';
import { readEnrolment, renderEnrolment, tryToEnrol } from './commands/enrol.ts';
import { history } from './commands/history.ts';
import { plan, renderPlan } from './commands/plan.ts';
import { renderSafeMode } from './commands/safe-mode.ts';
import { renderStatus } from './commands/status.ts';
import { USAGE } from './commands/usage.ts';
import { diagnose } from './doctor/doctor.ts';
import { renderDiagnosis } from './doctor/render.ts';
import { observeSafeMode } from './observe/safe-mode.ts';
import { pathsUnder } from './paths.ts';
import type { Ports } from './ports/ports.ts';
import { realClock } from './ports/real/clock.ts';
import { realDisk } from './ports/real/disk.ts';
import { dockerEngine } from './ports/real/engine.ts';
import { realExec } from './ports/real/exec.ts';
import { realHttp } from './ports/real/http.ts';
import { dockerImagePuller } from './ports/real/image-puller.ts';
import { realLog } from './ports/real/log.ts';
import { realNetwork } from './ports/real/network.ts';
import { showJournal } from './ports/real/journal.ts';
import { tlsSessionsIn } from './ports/real/tls-sessions.ts';
import { feedWatchdog } from './ports/real/watchdog.ts';
import { readStatus } from './report/read-status.ts';
import { run } from './run.ts';
import { AGENT_VERSION } from './version.ts';

const EXIT = { done: 0, failed: 1, bug: 3, usage: 64 } as const;

const root = process.env['ROLE_AGENT_ROOT'] ?? '/';
const paths = pathsUnder(root);
void start();

async function start(): Promise<void> {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (thrown) {
    process.stderr.write(`role-agent: ${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
    process.exitCode = EXIT.bug;
  }
}

/** argv and environment → ports → command. The only wiring of the agent. */
async function main(argv: readonly string[]): Promise<number> {
  const parsed = parseCommandLine(argv);
  if (parsed === null) return EXIT.usage;
  const { command, verb, json, follow, limit } = parsed;
  switch (command) {
    case 'run':
    case 'redeploy':
      return runOnce(json, { redeploy: command === 'redeploy' });
    case 'safe-mode':
      return safeMode(verb, json);
    case 'plan': {
      const result = await plan(await contextHere());
      return print(json ? `${JSON.stringify(result)}\n` : renderPlan(result));
    }
    case 'pull':
      await runPullWorker({ ports: buildPorts(), paths, puller: dockerImagePuller() });
      return EXIT.done;
    case 'enrol':
      return enrolOnce();
    case 'status':
      return showStatus(json);
    case 'history':
      return print(await history(buildPorts().disk, paths, { json, limit }));
    case 'logs':
      return showJournal({ json, follow, limit });
    case 'doctor':
      return seeDoctor(json);
    case 'version':
      return print(`role-agent ${AGENT_VERSION}\n`);
    case 'help':
      return print(USAGE);
    default:
      process.stderr.write(`role-agent: there is no command «${command}».\n\n${USAGE}`);
      return EXIT.usage;
  }
}

/** A handled failure is an outcome of the run, not of the process: exit 0, so that systemd's OnFailure means a crash. */
async function runOnce(
  json: boolean,
  asked: { readonly redeploy?: boolean; readonly stop?: boolean },
): Promise<number> {
  const underSystemd = process.env['INVOCATION_ID'] !== undefined;
  const stopFeeding = feedWatchdog();
  try {
    // Set by the wrapper, which takes the wake flag away.
    const woken = process.env['ROLE_AGENT_WOKEN'] !== undefined;
    const options = { insist: !underSystemd, eager: !underSystemd || woken, ...asked };
    const { status } = await run(await contextHere(), options);
    if (json) print(`${JSON.stringify(status)}\n`);
    else if (!underSystemd) print(renderStatus(status));
    const failed = asked.stop === true ? status.state !== 'safe' : isFailed(status);
    return failed && !underSystemd ? EXIT.failed : EXIT.done;
  } finally {
    stopFeeding();
  }
}

function isFailed({ problems, health }: Status): boolean {
  return problems.length > 0 && health !== 'healthy';
}

/** `on` and `off` are runs: the wrapper has taken their lock. */
async function safeMode(verb: string | undefined, json: boolean): Promise<number> {
  if (verb === 'on') return runOnce(json, { stop: true });
  if (verb !== undefined && verb !== 'off') {
    process.stderr.write(`role-agent: safe-mode takes «on», «off» or nothing, not «${verb}».\n`);
    return EXIT.usage;
  }
  const seen = await observeSafeMode(buildPorts(), paths);
  if (verb === 'off' && seen !== null) return runOnce(json, { redeploy: true });
  return print(json ? `${JSON.stringify(seen)}\n` : renderSafeMode(seen));
}

/** One try; the unit tries again, with pauses during which nothing of Node is in memory. */
async function enrolOnce(): Promise<number> {
  const ports = buildPorts();
  const { done, what, problem } = await tryToEnrol({ ports, paths });
  if (process.env['INVOCATION_ID'] === undefined) print(renderEnrolment({ what, problem }));
  else if (problem === null) ports.log.notice(what);
  else ports.log.warning(what, { problem });
  return done ? EXIT.done : EXIT.failed;
}

async function showStatus(json: boolean): Promise<number> {
  const { disk } = buildPorts();
  const status = await readStatus(disk, paths);
  if (json) return print(`${JSON.stringify(status)}\n`);
  const enrolment = await readEnrolment(disk, paths);
  return print(`${enrolment === null ? '' : renderEnrolment(enrolment)}${renderStatus(status)}`);
}

/** Exit 1 where something has to be mended; a warning alone is none. */
async function seeDoctor(json: boolean): Promise<number> {
  const surroundings = {
    ports: buildPorts(),
    paths,
    at: (path: string) => join(root, path),
    hostname: hostname(),
  };
  const diagnosis = await diagnose(surroundings);
  print(json ? `${JSON.stringify(diagnosis)}\n` : renderDiagnosis(diagnosis, process.getuid?.() === 0));
  return diagnosis.verdict === 'problem' ? EXIT.failed : EXIT.done;
}

function contextHere(): Promise<Context> {
  return buildContext({ ports: buildPorts(), paths, hostname: hostname() });
}

function buildPorts(): Ports {
  const exec = realExec();
  const disk = realDisk(exec);
  return {
    clock: realClock(),
    disk,
    engine: dockerEngine(exec),
    exec,
    http: realHttp(tlsSessionsIn(disk, paths.run.tlsSession)),
    log: realLog(randomUUID().slice(0, 8), process.env['INVOCATION_ID'] !== undefined),
    network: realNetwork(),
  };
}

interface CommandLine {
  readonly command: string;
  /** The word behind the command. */
  readonly verb: string | undefined;
  readonly json: boolean;
  readonly follow: boolean;
  readonly limit: number;
}

function parseCommandLine(argv: readonly string[]): CommandLine | null {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        follow: { type: 'boolean', default: false },
        limit: { type: 'string', default: '50' },
      },
    });
    const limit = Number(values.limit);
    if (!Number.isInteger(limit) || limit < 1)
      throw new Error(`--limit takes a whole number from 1, not «${values.limit}»`);
    return {
      command: positionals[0] ?? 'help',
      verb: positionals[1],
      json: values.json,
      follow: values.follow,
      limit,
    };
  } catch (thrown) {
    process.stderr.write(
      `role-agent: ${thrown instanceof Error ? thrown.message : String(thrown)}\n\n${USAGE}`,
    );
    return null;
  }
}

function print(text: string): number {
  process.stdout.write(text);
  return EXIT.done;
}
