import { Link } from '@tanstack/react-router';
import type { Overview } from '@metrica-fleet/protocol/api';
import { shortCommit } from '../../ui/commit.tsx';
import { Section } from '../../ui/page.tsx';

type RoleVersions = Overview['versions'][number];
type Version = RoleVersions['releases'][number];

const FILLS: Readonly<Record<Version['current'], string>> = {
  yes: 'var(--healthy)',
  next: 'var(--updating)',
  no: 'var(--degraded)',
};
const WORDS: Readonly<Record<Version['current'], string>> = {
  yes: 'current',
  next: 'rolling out',
  no: 'old',
};

/** Which releases the devices of each role run: drift at a glance. */
export function Versions({ versions }: { versions: readonly RoleVersions[] }) {
  return (
    <Section title="Versions">
      <ul className="grid gap-4 rounded border border-line p-4">
        {versions.map((each) => (
          <RoleBar key={each.role} versions={each} />
        ))}
      </ul>
    </Section>
  );
}

function RoleBar({ versions: { role, releases } }: { versions: RoleVersions }) {
  return (
    <li className="grid gap-2 sm:grid-cols-[160px_1fr] sm:gap-4">
      <Link to="/rollouts" search={{ role }} className="text-13 font-medium hover:underline">
        {role}
      </Link>
      <div className="grid gap-2">
        <div aria-hidden="true" className="flex h-2 gap-px overflow-hidden rounded-full bg-hover">
          {releases.map(({ commit, devices, current }) => (
            <span
              key={commit}
              style={{
                flexGrow: devices,
                minWidth: 3,
                background: commit === null ? 'var(--line-strong)' : FILLS[current],
              }}
            />
          ))}
        </div>
        <p className="flex flex-wrap gap-x-4 gap-y-1 text-13 text-ink-2">
          {releases.map(({ commit, devices, current }) => (
            <Link
              key={commit}
              to="/devices"
              search={commit === null ? { role } : { role, commit }}
              className="whitespace-nowrap hover:underline"
            >
              {commit === null ? (
                `${devices} run nothing yet`
              ) : (
                <>
                  {devices} on <code className="font-mono text-12">{shortCommit(commit)}</code> (
                  {WORDS[current]})
                </>
              )}
            </Link>
          ))}
        </p>
      </div>
    </li>
  );
}
