import type { DeviceDetail } from '@metrica-fleet/protocol/api';
import { Commit } from '../../ui/commit.tsx';
import { FactList } from '../../ui/fact-list.tsx';
import { Ago } from '../../ui/time.tsx';

/** What should run against what runs, and when that last changed. */
export function Releases({ device: { status, running, wanted } }: { device: DeviceDetail }) {
  return (
    <FactList
      facts={[
        ['Runs', running === null ? 'nothing yet' : <Commit key="runs" commit={running} />],
        ['Should run', wanted === null ? 'as its overlord says' : <Commit key="wanted" commit={wanted} />],
        ['Why not yet', status?.pending ?? null],
        ['Refused', status?.refused?.what ?? null],
        ['Update', status === null || status.state === 'idle' ? null : status.state],
        ['Last update', status?.lastUpdate ? <Ago key="update" at={status.lastUpdate} /> : 'never'],
        [
          'Last converged',
          status?.lastConvergence ? <Ago key="converged" at={status.lastConvergence} /> : 'never',
        ],
      ]}
    />
  );
}
