import type { DesiredState } from '@metrica-fleet/protocol/api';
import { sql, type Transaction } from 'kysely';
import type { Change } from '../db/announce.ts';
import type { Schema, VariableFilesTable } from '../db/schema.ts';
import type { HandlersOf } from '../server/handler.ts';
import { splayFor, wake } from '../signals/wake.ts';
import { decide, type DecisionDevice } from './decision.ts';
import { keepDecisions } from './decisions.ts';
import { Engine, type EnginePorts } from './engine.ts';
import { explainRoutes } from './explain-route.ts';
import { observe, type Observed } from './observe.ts';
import { rolloutRoutes, type RolloutRoutes } from './rollout-routes.ts';
import { startRollout, type NewRollout } from './start-rollout.ts';

export interface DeploymentControlPorts extends Omit<EnginePorts, 'wake'> {
  /** Aborted when the overlord stops. */
  readonly signal: AbortSignal;
  /** Milliseconds between two looks of the engine at its rollouts. Default: one second. */
  readonly interval?: number;
}

/** What a check-in is answered with; null: the device keeps what it has. */
export interface Answer {
  readonly position: string;
  readonly desired: DesiredState | 'nothing';
}

/** What takes releases out to devices, and says to each what it is to have. */
export interface DeploymentControl {
  readonly routes: HandlersOf<RolloutRoutes | 'explainDevice'>;
  /** Reads what is decided; to be awaited before the server listens. */
  begin(): Promise<void>;
  /** Moves rollouts on, until the signal aborts. */
  run(): Promise<void>;
  /** To be called for each change that is announced. */
  onChange(change: Change): void;
  /** To be called after each gap in the news. */
  onGap(): void;
  /** Resolves when this replica decides by all that was committed before the call. */
  ready(): Promise<void>;
  /** What a device is to have, by its facts and the position that it says it has. */
  wantedBy(device: Omit<DecisionDevice, 'position'>, position: string | null): Answer | null;
  /** Notes what devices said, in the transaction of their check-ins. */
  observe(trx: Transaction<Schema>, seen: readonly Observed[]): Promise<void>;
  /** Begins to take a new release out, in the transaction that makes it. */
  rollOut(
    trx: Transaction<Schema>,
    release: Pick<NewRollout, 'releaseId' | 'role' | 'statementId'>,
  ): Promise<void>;
  /** Wakes the devices whose variables changed with a push. */
  variablesChanged(
    trx: Transaction<Schema>,
    files: readonly Pick<VariableFilesTable, 'kind' | 'name'>[],
  ): Promise<void>;
}

/** Who puts a release out that came with a push. */
const BY_ITSELF = 'overlord';
/** Position of a device for which there is nothing. */
const NOTHING = 'nothing';

export function buildDeploymentControl(given: DeploymentControlPorts): DeploymentControl {
  const { db, log, now, signal, interval = 1_000 } = given;
  const ports: EnginePorts = {
    ...given,
    wake: (trx, ids) => wake(trx, ids, { reason: 'release', splay: splayFor(ids.length) }),
  };
  const decisions = keepDecisions({ db, log, signal });
  const engine = new Engine(ports);
  return {
    routes: { ...rolloutRoutes(ports), ...explainRoutes({ db, snapshot: () => decisions.current() }) },
    begin: () => decisions.refresh(),
    run: () => engine.run({ interval, signal }),
    onChange({ topic }) {
      if (topic !== 'decisions') return;
      void decisions.refresh();
      engine.nudge();
    },
    onGap() {
      void decisions.refresh();
      engine.nudge();
    },
    ready: () => decisions.settled(),
    wantedBy(device, position) {
      const { offer, keep } = decide({ ...device, position }, decisions.current());
      if (keep) return null;
      return offer === null
        ? { position: NOTHING, desired: 'nothing' }
        : { position: offer.position, desired: offer };
    },
    observe: (trx, seen) => observe(trx, decisions.current(), seen),
    async rollOut(trx, release) {
      await startRollout(trx, { ...release, by: BY_ITSELF, now: now() });
    },
    variablesChanged: (trx, files) => wakeForVariables(trx, files),
  };
}

async function wakeForVariables(
  trx: Transaction<Schema>,
  files: readonly Pick<VariableFilesTable, 'kind' | 'name'>[],
): Promise<void> {
  const namesOf = (kind: 'site' | 'device'): readonly string[] =>
    files.filter((file) => file.kind === kind).map(({ name }) => name);
  const { rows } = await sql<{ id: string }>`
    select d.id from devices d
    left join variable_files f on f.kind = 'device' and f.name = d.name
    where d.membership = 'active'
      and (d.name = any(${namesOf('device')}) or coalesce(d.site, f.site) = any(${namesOf('site')}))`.execute(
    trx,
  );
  await wake(
    trx,
    rows.map(({ id }) => id),
    { reason: 'variables', splay: splayFor(rows.length) },
  );
}
