import type { DeviceDetail } from '@metrica-fleet/protocol/api';
import { FactList } from '../../ui/fact-list.tsx';
import { duration, Moment } from '../../ui/time.tsx';

/** What it is: the board, the agent, how it came. */
export function Facts({ device }: { device: DeviceDetail }) {
  const { evidence, status, labels, enrolledAt, enrolledBy, id } = device;
  return (
    <FactList
      facts={[
        ['Model', evidence.model],
        ['Serial', evidence.serial],
        ['MAC', evidence.mac],
        ['Machine', evidence.arch],
        ['Agent', device.agentVersion],
        ['Asks every', status?.interval === undefined ? null : duration(status.interval)],
        ['Sources', status === null || status.sources.length === 0 ? null : sourcesText(status.sources)],
        ['Labels', Object.keys(labels).length === 0 ? null : labelsText(labels)],
        [
          'Joined',
          <span key="joined">
            <Moment at={enrolledAt} />, let in by {enrolledBy}
          </span>,
        ],
        [
          'Id',
          <code key="id" className="font-mono text-12 break-all">
            {id}
          </code>,
        ],
      ]}
    />
  );
}

function sourcesText(sources: NonNullable<DeviceDetail['status']>['sources']): string {
  return sources.map(({ name, answered }) => (answered ? name : `${name} (no answer)`)).join(', ');
}

function labelsText(labels: DeviceDetail['labels']): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');
}
