import { useState, type FormEvent } from 'react';
import type { DeviceDetail, Segment } from '@metrica-fleet/protocol/api';
import { SEGMENTS } from '@metrica-fleet/protocol/segments';
import { useAnswer, useChange } from '../../api/calls.ts';
import { ApiProblem } from '../../api/problem.ts';
import { ProblemNotice } from '../../forms/problem-notice.tsx';
import { Button } from '../../ui/button.tsx';
import { SelectField, TextField } from '../../ui/field.tsx';
import { Section } from '../../ui/page.tsx';

/** What the device is called and where it belongs. What is typed stays while reports come in. */
export function Settings({ device }: { device: DeviceDetail }) {
  const roles = useAnswer('showRepository', {}).data?.roles ?? [];
  const update = useChange('updateDevice');
  const [name, setName] = useState(device.name);
  const [role, setRole] = useState(device.role ?? '');
  const [segment, setSegment] = useState<Segment>(device.segment);
  const [site, setSite] = useState(device.site ?? '');
  const problem = update.error instanceof ApiProblem ? update.error : null;
  const errorOf = (field: string) => (problem?.field?.endsWith(field) ? problem.message : null);
  const changes = {
    ...(name === device.name ? {} : { name }),
    ...(role === '' || role === device.role ? {} : { role }),
    ...(segment === device.segment ? {} : { segment }),
    ...(site === (device.site ?? '') ? {} : { site: site === '' ? null : site }),
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    update.mutate({ params: { id: device.id }, body: changes });
  };
  return (
    <Section title="Settings">
      <form className="grid gap-4 rounded border border-line p-4" onSubmit={submit}>
        <ProblemNotice error={update.error} />
        <TextField
          label="Name"
          value={name}
          onChange={(event) => setName(event.target.value)}
          error={errorOf('name')}
          autoCapitalize="none"
          spellCheck={false}
          required
        />
        <SelectField label="Role" value={role} onChange={(event) => setRole(event.target.value)}>
          {device.role === null && <option value="">none yet</option>}
          {(role === '' || roles.includes(role) ? roles : [role, ...roles]).map((each) => (
            <option key={each}>{each}</option>
          ))}
        </SelectField>
        <SelectField
          label="Segment"
          value={segment}
          onChange={(event) => setSegment(event.target.value as Segment)}
        >
          {SEGMENTS.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </SelectField>
        <TextField
          label="Site"
          value={site}
          onChange={(event) => setSite(event.target.value)}
          error={errorOf('site')}
          autoCapitalize="none"
          spellCheck={false}
        />
        <div>
          <Button type="submit" busy={update.isPending} disabled={Object.keys(changes).length === 0}>
            Save
          </Button>
        </div>
      </form>
    </Section>
  );
}
