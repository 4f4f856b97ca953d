import { describeProblem, parse, problemOf, ProblemSchema, TimeSchema } from '@metrica-fleet/protocol';
import { Null, Object as Obj, String as Str, Union, type Static } from 'typebox';
import { enrol, type EnrolContext } from '../enrol/enrol.ts';
import type { Paths } from '../paths.ts';
import type { Disk } from '../ports/disk.ts';

/** How the last try to join a fleet went, for `role-agent status`. */
const EnrolmentSchema = Obj({
  at: TimeSchema,
  /** One sentence. */
  what: Str(),
  problem: Union([ProblemSchema, Null()]),
});
export type Enrolment = Static<typeof EnrolmentSchema>;

/** One try to join the fleet that this device is invited to. `done` is false where it should be tried again. */
export async function tryToEnrol(context: EnrolContext): Promise<Enrolment & { readonly done: boolean }> {
  const { ports, paths } = context;
  const tried = await outcomeOf(context);
  const enrolment = { at: ports.clock.now().wall, ...tried };
  const { done, ...kept } = enrolment;
  if (done) await ports.disk.remove('enrolment.done', paths.run.enrolment);
  else await ports.disk.replace('enrolment.write', paths.run.enrolment, `${JSON.stringify(kept)}\n`);
  return enrolment;
}

/** The last try, as long as it has not ended well; null where there is nothing to join. */
export async function readEnrolment(disk: Disk, paths: Paths): Promise<Enrolment | null> {
  const text = await disk.readText(paths.run.enrolment);
  if (text === null) return null;
  try {
    return parse(EnrolmentSchema, JSON.parse(text), { where: paths.run.enrolment });
  } catch {
    return null;
  }
}

/** The enrolment for a person. */
export function renderEnrolment({ what, problem }: Omit<Enrolment, 'at'>): string {
  return `${what}\n${problem === null ? '' : `  ${problem.code}: ${describeProblem(problem)}\n`}`;
}

type Tried = Omit<Enrolment, 'at'> & { readonly done: boolean };

async function outcomeOf(context: EnrolContext): Promise<Tried> {
  try {
    const outcome = await enrol(context);
    switch (outcome.kind) {
      case 'not-invited':
        return { done: true, what: `There is no invitation (${context.paths.invitation}).`, problem: null };
      case 'waiting':
        return {
          done: false,
          what: `Asked to join the fleet of ${outcome.overlord} as ${outcome.device}; an operator has to approve it there.`,
          problem: null,
        };
      case 'joined':
        return {
          done: true,
          what: `Joined the fleet of ${outcome.overlord} as ${outcome.device}.`,
          problem: null,
        };
    }
  } catch (thrown) {
    return { done: false, what: 'This device has not joined its fleet yet.', problem: problemOf(thrown) };
  }
}
