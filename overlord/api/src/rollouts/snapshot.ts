import { digestOfJson, type Stage, type VariableInput, type VariableLayer } from '@metrica-fleet/protocol';
import type { StageProgress } from '../db/schema.ts';

/** A release that may be offered: its statement vouches for it, and its counter beats those before. */
export interface Offered {
  readonly releaseId: string;
  readonly role: string;
  readonly commit: string;
  readonly digest: string;
  readonly statement: string;
  readonly signature: string;
  readonly counter: number;
}

/** A rollout that is running or paused. */
export interface OpenRollout {
  readonly id: string;
  readonly state: 'running' | 'paused';
  readonly offered: Offered;
  readonly stages: readonly Stage[];
  readonly progress: readonly StageProgress[];
}

/** What is decided about one role. */
export interface RoleDecisions {
  /** What its devices run that no rollout covers; null before the first release has gone out. */
  readonly baseline: Offered | null;
  readonly rollout: OpenRollout | null;
  /** The last rollout, if it was halted: what took its release goes back to the baseline. */
  readonly halted: { readonly id: string; readonly commit: string } | null;
}

interface VariableFileRow {
  readonly kind: 'site' | 'device';
  readonly name: string;
  readonly role: string | null;
  readonly site: string | null;
  readonly vars: VariableInput;
}

interface Layer {
  readonly layer: VariableLayer;
  /** Short digest of the values, for the position. */
  readonly mark: string;
}

/** `devices/<name>.yaml`: values, and what the device is unless the overlord says otherwise. */
interface DeviceFile extends Layer {
  readonly role: string | null;
  readonly site: string | null;
}

/** All that is decided, in memory: what answers check-ins. Immutable; a change makes a new one. */
export interface Snapshot {
  readonly roles: ReadonlyMap<string, RoleDecisions>;
  readonly sites: ReadonlyMap<string, Layer>;
  readonly devices: ReadonlyMap<string, DeviceFile>;
}

/** A fleet without a release: what is known before the first look at the database. */
export const EMPTY_SNAPSHOT: Snapshot = { roles: new Map(), sites: new Map(), devices: new Map() };

/** Digits of a digest that tell one set of values from another; a position is compared, not trusted. */
const MARK = 12;

/** Makes the layers of values out of the files of the repo. */
export function layersOf(rows: readonly VariableFileRow[]): Pick<Snapshot, 'sites' | 'devices'> {
  const sites = new Map<string, Layer>();
  const devices = new Map<string, DeviceFile>();
  for (const { kind, name, role, site, vars } of rows) {
    const layer = { from: `${kind}s/${name}.yaml`, values: vars };
    const mark = digestOfJson(layer).slice(0, MARK);
    if (kind === 'site') sites.set(name, { layer, mark });
    else devices.set(name, { layer, mark, role, site });
  }
  return { sites, devices };
}
