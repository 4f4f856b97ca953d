import { useNavigate, useSearch } from '@tanstack/react-router';
import { usePages, useAnswer } from '../../api/calls.ts';
import { Answer } from '../../ui/answer.tsx';
import { Chips } from '../../ui/chips.tsx';
import { MoreButton } from '../../ui/more-button.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { RepositoryLine } from './repository-line.tsx';
import { RolloutRow } from '../../ui/rollout-row.tsx';

/** Releases on their way, and those that went before. */
export default function RolloutsPage() {
  const { role } = useSearch({ from: '/fleet/rollouts' });
  const navigate = useNavigate({ from: '/rollouts' });
  const repository = useAnswer('showRepository', {});
  const rollouts = usePages('listRollouts', {
    query: { limit: 20, ...(role === undefined ? {} : { role }) },
  });
  const roles = repository.data?.roles ?? [];
  return (
    <Page title="Rollouts" lead={<RepositoryLine query={repository} />}>
      {roles.length > 1 && (
        <Chips
          label="Role"
          options={roles.map((each) => ({ value: each, label: each }))}
          chosen={role}
          onChoose={(next) =>
            void navigate({ search: next === undefined ? {} : { role: next }, replace: true })
          }
        />
      )}
      <Answer query={rollouts} height={320}>
        {({ items }) => {
          const open = items.filter(({ state }) => state === 'running' || state === 'paused');
          const past = items.filter((each) => !open.includes(each));
          return (
            <>
              {open.length > 0 && (
                <Section title="Under way">
                  <List items={open} />
                </Section>
              )}
              <Section title="Before">
                {past.length === 0 ? (
                  <p className="text-13 text-ink-2">
                    None yet. A push to the fleet’s repo that changes a role makes a release, and that rolls
                    out by itself.
                  </p>
                ) : (
                  <List items={past} />
                )}
                <MoreButton query={rollouts} />
              </Section>
            </>
          );
        }}
      </Answer>
    </Page>
  );
}

function List({ items }: { items: readonly React.ComponentProps<typeof RolloutRow>['rollout'][] }) {
  return (
    <ul className="divide-y divide-line rounded border border-line">
      {items.map((rollout) => (
        <RolloutRow key={rollout.id} rollout={rollout} />
      ))}
    </ul>
  );
}
