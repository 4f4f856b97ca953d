import type { Problem, Status } from '@metrica-fleet/protocol';
import { describeProblem } from '@metrica-fleet/protocol';
import { readDeviceFile } from '../checkin/identity.ts';
import { readEnrolment, type Enrolment } from '../commands/enrol.ts';
import { hasOverlord } from '../config.ts';
import { readStatus } from '../report/read-status.ts';
import { ok, problem, unknown, warning, type Finding } from './finding.ts';
import { topic, type Patient } from './patient.ts';

export interface AgentFacts {
  /** Why `config.yaml` cannot be used; null where it can. */
  readonly configProblem: Problem | null;
  /** What the last run of this boot left. */
  readonly status: Status | null;
  readonly overlord: boolean;
  /** Name under which this device has joined a fleet; null where it has not, `hidden` where this user may not look. */
  readonly joined: string | null;
  readonly hidden: boolean;
  /** The last try to join a fleet that has not ended well; null where there is nothing to join. */
  readonly enrolment: Enrolment | null;
}

async function gatherAgent(patient: Patient): Promise<AgentFacts> {
  const { ports, paths, config, configProblem } = patient;
  const identity = await readDeviceFile(ports.disk, paths).then(
    (file) => ({ joined: file?.name ?? null, hidden: false }),
    () => ({ joined: null, hidden: true }),
  );
  return {
    configProblem,
    status: await readStatus(ports.disk, paths),
    overlord: config !== null && hasOverlord(config),
    ...identity,
    enrolment: await readEnrolment(ports.disk, paths),
  };
}

export function judgeAgent(facts: AgentFacts): readonly Finding[] {
  return [judgeConfig(facts.configProblem), judgeUpdate(facts.status), ...judgeIdentity(facts)];
}

function judgeConfig(fault: Problem | null): Finding {
  const check = 'configuration';
  if (fault === null) return ok(check, 'config.yaml is valid');
  if (/\bEACCES\b/.test(fault.what)) return unknown(check, 'This user may not read config.yaml');
  return problem(check, describeWithout(fault), {
    why: 'No source is asked; what runs is kept and healed',
    ...(fault.remedy === undefined ? {} : { remedy: fault.remedy }),
  });
}

/** Whether the device has what is wanted, in a word. */
function judgeUpdate(status: Status | null): Finding {
  const check = 'update';
  if (status === null) {
    return warning(check, 'No run has ended since the start of the device', {
      why: 'Nothing is updated or healed',
      remedy: '`role-agent logs` says what became of the last one',
      command: 'role-agent run',
    });
  }
  const { running, health, pending, refused, problems } = status;
  const runs = running === null ? 'nothing' : `${running.role}@${running.commit.slice(0, 12)}`;
  const fault = refused ?? problems[0];
  const seen = `${health}, runs ${runs}${pending === null ? '' : `; ${pending}`}`;
  if (fault === undefined && (health === 'healthy' || health === 'updating')) return ok(check, seen);
  const works = health === 'healthy' || health === 'updating';
  const why = fault === undefined ? 'The device does not do what its role says' : describeProblem(fault);
  return (works ? warning : problem)(check, seen, {
    why,
    ...(refused === undefined || refused === null
      ? { remedy: '`role-agent history` and `role-agent logs` say how it came to this' }
      : { remedy: 'Push a newer commit; or try this one again', command: 'role-agent redeploy' }),
  });
}

function judgeIdentity({ overlord, joined, hidden, enrolment }: AgentFacts): readonly Finding[] {
  const check = 'identity';
  if (enrolment !== null) {
    const { what, problem: fault } = enrolment;
    return [
      warning(check, what, {
        why: fault === null ? 'Until then it follows its other sources alone' : describeProblem(fault),
        remedy: 'It is tried again by itself; or at once',
        command: 'role-agent enrol',
      }),
    ];
  }
  if (hidden) return [unknown(check, 'This user may not see whether the device has joined a fleet')];
  if (joined !== null) return [ok(check, `Joined its fleet as ${joined}`)];
  if (!overlord) return [ok(check, 'No overlord is configured: the device follows its sources by itself')];
  return [
    problem(check, 'config.yaml names an overlord, and this device has not joined its fleet', {
      why: 'The overlord does not let it check in',
      remedy: 'Make a token on the page Enrol of the overlord, and run the command that it shows',
    }),
  ];
}

function describeWithout({ what, where }: Problem): string {
  return where === undefined ? what : `${what} (${where})`;
}

export const AGENT = topic('agent', gatherAgent, judgeAgent);
