import { useState, type FormEvent } from 'react';
import type { CreatedEnrolmentToken } from '@metrica-fleet/protocol/api';
import { useAnswer, useChange } from '../../api/calls.ts';
import { ApiProblem } from '../../api/problem.ts';
import { ProblemNotice } from '../../forms/problem-notice.tsx';
import { Button } from '../../ui/button.tsx';
import { SelectField, TextField } from '../../ui/field.tsx';
import { Section } from '../../ui/page.tsx';

const SEGMENTS = { general: 'general', early: 'early', canary: 'canary: gets releases first' } as const;
const HOURS = { 1: 'an hour', 24: 'a day', 168: 'a week', 720: '30 days' } as const;

/** What the devices that join will be; then the token that lets them. */
export function NewToken({ onCreated }: { onCreated: (created: CreatedEnrolmentToken) => void }) {
  const repository = useAnswer('showRepository', {});
  const create = useChange('createEnrolmentToken');
  const [role, setRole] = useState('');
  const [segment, setSegment] = useState<keyof typeof SEGMENTS>('general');
  const [site, setSite] = useState('');
  const [uses, setUses] = useState('1');
  const [hours, setHours] = useState('24');
  const [autoApprove, setAutoApprove] = useState(true);
  const problem = create.error instanceof ApiProblem ? create.error : null;
  const errorOf = (field: string) => (problem?.field?.endsWith(field) ? problem.message : null);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const body = {
      ...(role === '' ? {} : { role }),
      ...(site === '' ? {} : { site }),
      segment,
      uses: Number(uses),
      hours: Number(hours),
      autoApprove,
    };
    create.mutate({ body }, { onSuccess: onCreated });
  };
  return (
    <Section title="Let devices join">
      <form className="grid max-w-2xl gap-4 rounded border border-line p-4" onSubmit={submit}>
        <ProblemNotice error={create.error} />
        <div className="grid gap-4 sm:grid-cols-2">
          <SelectField
            label="Role"
            hint="What they will run. It can be given later."
            value={role}
            onChange={(event) => setRole(event.target.value)}
          >
            <option value="">none yet</option>
            {repository.data?.roles.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </SelectField>
          <SelectField
            label="Segment"
            hint="The order in which devices get a release: canary, early, general."
            value={segment}
            onChange={(event) => setSegment(event.target.value as keyof typeof SEGMENTS)}
          >
            {Object.entries(SEGMENTS).map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </SelectField>
          <TextField
            label="Site"
            hint="Where they stand, as old-town. May be left empty."
            value={site}
            onChange={(event) => setSite(event.target.value)}
            error={errorOf('site')}
            autoCapitalize="none"
            spellCheck={false}
          />
          <TextField
            label="How many devices"
            type="number"
            inputMode="numeric"
            min={1}
            max={100_000}
            value={uses}
            onChange={(event) => setUses(event.target.value)}
            error={errorOf('uses')}
            required
          />
          <SelectField label="Good for" value={hours} onChange={(event) => setHours(event.target.value)}>
            {Object.entries(HOURS).map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </SelectField>
          <SelectField
            label="When one appears"
            value={autoApprove ? 'in' : 'wait'}
            onChange={(event) => setAutoApprove(event.target.value === 'in')}
          >
            <option value="in">it joins at once</option>
            <option value="wait">it waits for your approval</option>
          </SelectField>
        </div>
        <div>
          <Button type="submit" look="primary" busy={create.isPending}>
            Make the line
          </Button>
        </div>
      </form>
    </Section>
  );
}
