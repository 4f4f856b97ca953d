import { ok, problem, unknown, warning, type Finding } from './finding.ts';
import { says, topic, type Patient } from './patient.ts';

export interface UnitsFacts {
  /** The agent's units; null where systemd does not answer. */
  readonly units: readonly Unit[] | null;
}

/** Properties of systemd.unit(5), by their values there. */
interface Unit {
  readonly name: string;
  /** `loaded`, `masked`, `not-found`. */
  readonly load: string;
  /** `active`, `inactive`, `failed`. */
  readonly active: string;
  /** `enabled`, `disabled`, `static`, `masked`. */
  readonly file: string;
}

/** Without it nothing happens at all. */
const TIMER = 'role-agent.timer';

async function gatherUnits(patient: Patient): Promise<UnitsFacts> {
  const listed = await says(patient, 'doctor.units', [
    ...(['systemctl', 'list-unit-files', '--no-legend', '--no-pager', '--plain', 'role-agent*'] as const),
  ]);
  if (listed === null || /not been booted|failed to connect/i.test(listed.err)) return { units: null };
  const names = listed.out.split('\n').map((line) => line.split(/\s+/)[0] ?? '');
  const asked = [...new Set([TIMER, ...names.filter((name) => name !== '' && !name.includes('@.'))])];
  const shown = await says(patient, 'doctor.unit-states', [
    'systemctl',
    'show',
    '--property=Id,LoadState,ActiveState,UnitFileState',
    ...asked,
  ]);
  return { units: shown?.code === 0 ? shown.out.split(/\n\n+/).map(unitIn) : null };
}

function unitIn(block: string): Unit {
  const value = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(block)?.[1] ?? '';
  return {
    name: value('Id'),
    load: value('LoadState'),
    active: value('ActiveState'),
    file: value('UnitFileState'),
  };
}

export function judgeUnits({ units }: UnitsFacts): readonly Finding[] {
  const check = 'units';
  if (units === null) return [unknown(check, 'systemd does not answer')];
  const findings = units.flatMap(judgeUnit);
  return findings.length > 0 ? findings : [ok(check, `${units.length} units are as they should be`)];
}

/** Timers and path units that are enabled stand ready; services come and go, and are only wrong where they have failed. */
function judgeUnit({ name, load, active, file }: Unit): readonly Finding[] {
  const check = 'units';
  const why =
    name === TIMER
      ? 'No run starts by itself: nothing is updated or healed'
      : 'A part of the agent does not work';
  const stands = /\.(timer|path)$/.test(name);
  if (load === 'not-found') {
    const command = 'apt-get install --reinstall role-agent';
    return [problem(check, `${name} is not there`, { why, command })];
  }
  if (load === 'masked' || file === 'masked') {
    const command = `systemctl unmask ${name}${stands ? ` && systemctl enable --now ${name}` : ''}`;
    return [problem(check, `${name} is masked`, { why, command })];
  }
  if (active === 'failed') {
    return [
      (stands ? problem : warning)(check, `${name} has failed`, {
        why,
        remedy: `\`journalctl -u ${name} -n 50\` says why`,
        command: `systemctl reset-failed ${name}${stands ? ` && systemctl start ${name}` : ''}`,
      }),
    ];
  }
  if (stands && file === 'disabled')
    return [problem(check, `${name} is disabled`, { why, command: `systemctl enable --now ${name}` })];
  // A static one is started by others, as in safe mode.
  if (stands && file === 'enabled' && active === 'inactive')
    return [problem(check, `${name} does not run`, { why, command: `systemctl start ${name}` })];
  return [];
}

export const UNITS = topic('units', gatherUnits, judgeUnits);
