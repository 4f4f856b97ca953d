import type { RouteName, Topic } from '@metrica-fleet/protocol/api';

/** Which answers a topic of the stream makes old. */
export const MADE_OLD: Readonly<Record<Topic, readonly RouteName[]>> = {
  devices: ['overview', 'deviceMap', 'listDevices', 'showDevice', 'explainDevice', 'listOrders'],
  rollouts: ['overview', 'listRollouts', 'showRollout', 'listRolloutDevices', 'explainDevice'],
  releases: ['listReleases', 'showRelease', 'showRepository'],
  events: ['overview', 'listDeviceEvents'],
  enrolment: ['listEnrolmentTokens', 'listDevices', 'overview'],
};

/** Answers about one thing: old only when the change names that thing. */
const ABOUT_ONE: ReadonlySet<RouteName> = new Set<RouteName>([
  'showDevice',
  'explainDevice',
  'listOrders',
  'showRollout',
  'listRolloutDevices',
  'listDeviceEvents',
]);

/** Whether a kept answer is made old by a change of `topic` in the thing `id`; '' is «any». */
export function isMadeOld(key: readonly unknown[], { topic, id }: { topic: Topic; id: string }): boolean {
  const [name, input] = key as [RouteName, { params?: { id?: string } } | undefined];
  if (!MADE_OLD[topic].includes(name)) return false;
  if (id === '' || !ABOUT_ONE.has(name) || name === 'explainDevice') return true;
  return input?.params?.id === id;
}
