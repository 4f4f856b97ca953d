import pg from 'pg';
import type { FleetRepo } from '../../virtual-pi/fleet-repo.ts';
import { ControlPlane } from '../../virtual-pi/scenarios/control-plane.ts';
import type { Device } from '../../virtual-pi/scenarios/device.ts';
import { databaseIn } from '../support/database.ts';
import type { Source } from './walks.ts';

/** One stage with a short soak: each push has the fleet for itself. */
const ONE_STAGE = 'rollout:\n  stages:\n    - {segment: canary, soak: 1s}\n';

/** An overlord that follows the repo, and is told of each push as a webhook would. */
export class OverlordSource implements Source {
  private readonly device: Device;
  private readonly plane: ControlPlane;
  private readonly db: pg.Client;

  private constructor(device: Device, plane: ControlPlane, db: pg.Client) {
    this.device = device;
    this.plane = plane;
    this.db = db;
  }

  static async start(device: Device, repo: FleetRepo): Promise<OverlordSource> {
    await repo.push('How releases go out', { 'fleet.yaml': ONE_STAGE });
    const plane = await ControlPlane.start(repo.url);
    const db = new pg.Client({ connectionString: (await databaseIn(plane.data)).url });
    await db.connect();
    return new OverlordSource(device, plane, db);
  }

  async begin(): Promise<void> {
    await this.plane.enrols(this.device, 'pages');
    await this.plane.rolloutIs('done');
  }

  /** Nothing is under way, and the device listens. */
  async ready(): Promise<void> {
    await this.plane.rolloutIs('done');
    for (;;) {
      const { rows } = await this.db.query('select from device_status where connected_until > now()');
      if (rows.length > 0) return;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  async announce(): Promise<void> {
    await this.plane.ask('repository/fetch', {});
  }

  /** When the device was first woken for a release after a time. Milliseconds of the clock. */
  async signalledAt(since: number): Promise<number> {
    const { rows } = await this.db.query<{ at: Date }>(
      `select min(created_at) as at from signals where reason = 'release' and created_at >= $1`,
      [new Date(since)],
    );
    const at = rows[0]?.at;
    if (!(at instanceof Date)) throw new Error('The device was not woken');
    return at.getTime();
  }

  async stop(): Promise<void> {
    await this.db.end();
    await this.plane.stop();
  }
}
