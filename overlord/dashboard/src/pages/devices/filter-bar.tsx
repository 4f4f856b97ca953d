import { useEffect, useState } from 'react';
import { SEGMENTS } from '@metrica-fleet/protocol/segments';
import { useAnswer } from '../../api/calls.ts';
import { SelectField, TextField } from '../../ui/field.tsx';
import { STATE_LOOKS } from '../../ui/state-table.ts';
import { filtersOf, MEMBERSHIP_OPTIONS, STATE_OPTIONS, type Filters } from './filters.ts';

/** How long typing has to rest before the list is asked for. Milliseconds. */
const REST = 250;

/** What the list shows; each choice goes into the address. */
export function FilterBar({ filters, onChange }: { filters: Filters; onChange: (filters: Filters) => void }) {
  const roles = useAnswer('showRepository', {}).data?.roles ?? [];
  const choose = (key: keyof Filters, value: string) => onChange(filtersOf({ ...filters, [key]: value }));
  return (
    <div className="grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-6">
      <NameField value={filters.q ?? ''} onChange={(value) => choose('q', value)} />
      <SelectField
        label="State"
        value={filters.state ?? ''}
        onChange={(event) => choose('state', event.target.value)}
      >
        <option value="">any</option>
        {STATE_OPTIONS.map((state) => (
          <option key={state} value={state}>
            {STATE_LOOKS[state].label.toLowerCase()}
          </option>
        ))}
      </SelectField>
      <SelectField
        label="Role"
        value={filters.role ?? ''}
        onChange={(event) => choose('role', event.target.value)}
      >
        <option value="">any</option>
        {withChosen(roles, filters.role).map((role) => (
          <option key={role}>{role}</option>
        ))}
      </SelectField>
      <SelectField
        label="Segment"
        value={filters.segment ?? ''}
        onChange={(event) => choose('segment', event.target.value)}
      >
        <option value="">any</option>
        {SEGMENTS.map((segment) => (
          <option key={segment}>{segment}</option>
        ))}
      </SelectField>
      <SelectField
        label="In the fleet"
        value={filters.membership ?? 'active'}
        onChange={(event) => choose('membership', event.target.value === 'active' ? '' : event.target.value)}
      >
        {MEMBERSHIP_OPTIONS.map((membership) => (
          <option key={membership}>{membership}</option>
        ))}
      </SelectField>
      <SiteField value={filters.site ?? ''} onChange={(value) => choose('site', value)} />
    </div>
  );
}

function withChosen(roles: readonly string[], chosen: string | undefined): readonly string[] {
  return chosen === undefined || roles.includes(chosen) ? roles : [chosen, ...roles];
}

function NameField(props: { value: string; onChange: (value: string) => void }) {
  const input = useRested(props);
  return <TextField label="Name" type="search" placeholder="part of a name" {...input} spellCheck={false} />;
}

function SiteField(props: { value: string; onChange: (value: string) => void }) {
  const input = useRested(props);
  return <TextField label="Site" type="search" placeholder="a site" {...input} spellCheck={false} />;
}

/** Text that is typed now, given on once typing rests; follows the address when that changes by itself. */
function useRested({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return undefined;
    const timer = setTimeout(() => onChange(typed), REST);
    return () => clearTimeout(timer);
    // Only what is typed starts the rest anew: `onChange` is another at each painting.
  }, [typed]);
  return { value: typed, onChange: (event: { target: { value: string } }) => setTyped(event.target.value) };
}
