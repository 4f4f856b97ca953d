import { useNavigate, useSearch } from '@tanstack/react-router';
import { usePages } from '../../api/calls.ts';
import { Answer } from '../../ui/answer.tsx';
import { Button } from '../../ui/button.tsx';
import { MoreButton } from '../../ui/more-button.tsx';
import { Page } from '../../ui/page.tsx';
import { DeviceRow } from './device-row.tsx';
import { FilterBar } from './filter-bar.tsx';
import { filtersInWords, type Filters } from './filters.ts';

/** All devices, or those that the address asks for. */
export default function DevicesPage() {
  const filters: Filters = useSearch({ from: '/fleet/devices' });
  const navigate = useNavigate({ from: '/devices' });
  const devices = usePages('listDevices', { query: { ...filters, limit: 100 } });
  const choose = (next: Filters) => void navigate({ search: next, replace: true });
  const filtered = Object.keys(filters).length > 0;
  return (
    <Page title="Devices">
      <FilterBar filters={filters} onChange={choose} />
      {filtered && (
        <p className="flex flex-wrap items-center gap-3 text-13 text-ink-2">
          Shown: {filtersInWords(filters)}
          <Button look="quiet" onClick={() => choose({})}>
            Show all
          </Button>
        </p>
      )}
      <Answer query={devices} height={480}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="text-14 text-ink-2">
              {filtered ? 'No device is like that now.' : 'No device has joined the fleet yet.'}
            </p>
          ) : (
            <>
              <ul className="divide-y divide-line rounded border border-line">
                {items.map((device) => (
                  <DeviceRow key={device.id} device={device} />
                ))}
              </ul>
              <MoreButton query={devices} />
            </>
          )
        }
      </Answer>
    </Page>
  );
}
