import { ok, problem, unknown, warning, type Finding } from './finding.ts';
import { namesAt, says, textAt, topic, type KernelLog, type Patient } from './patient.ts';

export interface PowerFacts {
  /** `Raspberry Pi 4 Model B Rev 1.4`; null on what has no device tree. */
  readonly model: string | null;
  /** Bits of `vcgencmd get_throttled`; null where the firmware does not answer. */
  readonly throttled: number | null;
  /** Whether the voltage is too low now, by the kernel's own sensor; null where there is none. */
  readonly alarm: boolean | null;
  readonly log: KernelLog;
}

/** Bits of `get_throttled` for now; the same, 16 higher, for since the start. */
const BIT = { undervoltage: 0, capped: 1, throttled: 2, hot: 3 } as const;
const SINCE_START = 16;

async function gatherPower(patient: Patient): Promise<PowerFacts> {
  const said = await says(patient, 'doctor.throttled', ['vcgencmd', 'get_throttled']);
  const hex = /^throttled=(0x[0-9a-f]+)$/i.exec(said?.out ?? '')?.[1];
  return {
    model: (await textAt(patient, '/proc/device-tree/model'))?.replaceAll('\0', '').trim() ?? null,
    throttled: hex === undefined ? null : Number(hex),
    alarm: await alarmOf(patient),
    log: await patient.kernelLog(),
  };
}

/** The driver `rpi_volt` asks the firmware every two seconds. */
async function alarmOf(patient: Patient): Promise<boolean | null> {
  for (const name of await namesAt(patient, '/sys/class/hwmon')) {
    const folder = `/sys/class/hwmon/${name}`;
    if ((await textAt(patient, `${folder}/name`))?.trim() !== 'rpi_volt') continue;
    const alarm = await textAt(patient, `${folder}/in0_lcrit_alarm`);
    if (alarm !== null) return alarm.trim() === '1';
  }
  return null;
}

export function judgePower(facts: PowerFacts): readonly Finding[] {
  const { model, throttled, alarm, log } = facts;
  if (model?.includes('Raspberry Pi') !== true)
    return [ok('power', `${model ?? 'This machine'} has no firmware that tells of its power`)];
  const logged = log?.some((line) => /under-?voltage detected/i.test(line)) ?? false;
  if (throttled === null && alarm === null && log === null) {
    return [unknown('power', 'Neither the firmware nor the log of the kernel can be asked by this user')];
  }
  const has = (bit: number): boolean => (((throttled ?? 0) >> bit) & 1) === 1;
  const now = has(BIT.undervoltage) || alarm === true;
  const before = has(BIT.undervoltage + SINCE_START) || logged;
  return [judgeVoltage(now, before), judgeHeat(has)];
}

function judgeVoltage(now: boolean, before: boolean): Finding {
  const words = {
    why: 'Undervoltage is the first cause of damaged cards, lost USB devices and reboots without a trace',
    remedy:
      'Use the power supply made for this board (5.1 V, 3 A; 5 A for a Pi 5), a short thick cable, and a powered hub for disks and modems',
  };
  if (now) return problem('power', 'The voltage is too low right now', words);
  if (before) return warning('power', 'The voltage was too low since the start', words);
  return ok('power', 'No undervoltage since the start');
}

function judgeHeat(has: (bit: number) => boolean): Finding {
  const check = 'temperature';
  const words = {
    why: 'The board slows itself down: health gates and probes take longer than they should',
    remedy:
      'Give it air or a heat sink; `vcgencmd measure_temp` shows the temperature, limits begin at 80 °C',
  };
  if (has(BIT.throttled) || has(BIT.hot) || has(BIT.capped))
    return warning(check, 'The board is slowed down right now', words);
  if (has(BIT.throttled + SINCE_START) || has(BIT.hot + SINCE_START))
    return warning(check, 'The board was slowed down for heat or power since the start', words);
  return ok(check, 'Not slowed down since the start');
}

export const POWER = topic('power', gatherPower, judgePower);
