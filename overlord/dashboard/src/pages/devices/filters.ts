import type { DevicesQuery } from '@metrica-fleet/protocol/api';
import { DEVICE_STATES, type DeviceState } from '@metrica-fleet/protocol/device-state';
import { SEGMENTS } from '@metrica-fleet/protocol/segments';

/** What the list of devices can be filtered by: the same names in the address, in the API and on the page. */
export type Filters = Pick<
  DevicesQuery,
  'state' | 'role' | 'site' | 'segment' | 'commit' | 'problem' | 'membership' | 'q'
>;

const MEMBERSHIPS = ['active', 'waiting', 'revoked'] as const;

/** The filters in an address; what is none of them, or has a value that cannot be, is left out. */
export function filtersOf(search: Readonly<Record<string, unknown>>): Filters {
  const text = (key: string) => {
    const value = search[key];
    return typeof value === 'string' && value !== '' ? { [key]: value } : {};
  };
  return {
    ...text('role'),
    ...text('site'),
    ...text('commit'),
    ...text('problem'),
    ...text('q'),
    ...oneOf('state', DEVICE_STATES, search),
    ...oneOf('segment', SEGMENTS, search),
    ...oneOf('membership', MEMBERSHIPS, search),
  };
}

function oneOf<K extends string, V extends string>(
  key: K,
  values: readonly V[],
  search: Readonly<Record<string, unknown>>,
): { [P in K]?: V } {
  const value = values.find((each) => each === search[key]);
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}

/** The filters in words, for the line above the list. */
export function filtersInWords(filters: Filters): string {
  const words = Object.entries(filters).map(([key, value]) => {
    if (key === 'q') return `name contains «${value}»`;
    if (key === 'commit') return `runs ${value.slice(0, 7)}`;
    return `${key} ${value}`;
  });
  return words.join(', ');
}

export const STATE_OPTIONS: readonly DeviceState[] = DEVICE_STATES;
export const MEMBERSHIP_OPTIONS = MEMBERSHIPS;
