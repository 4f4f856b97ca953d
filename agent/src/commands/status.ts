import { describeProblem, type Status } from '@metrica-fleet/protocol';

/** The status for a person: what runs, what is wanted, and what to do about what is wrong. */
export function renderStatus(status: Status | null): string {
  if (status === null) {
    return 'No run has ended since the device started. See `role-agent logs`, or start one with `role-agent run`.\n';
  }
  const rows: [string, string][] = [
    ['device', status.device],
    ['health', status.health],
    ['state', status.state],
    ['running', release(status.running)],
    ['wanted', release(status.wanted)],
    ...(status.pending === null ? [] : [['pending', status.pending] as [string, string]]),
    ['last update', status.lastUpdate ?? 'never'],
    ['last convergence', status.lastConvergence ?? 'not since the device started'],
    [
      'sources',
      status.sources
        .map(({ name, answered }) => `${name} ${answered ? 'answered' : 'did not answer'}`)
        .join('; '),
    ],
    ...safeModeRows(status.safeMode),
    ['as of', `${status.at}, agent ${status.agentVersion}`],
  ];
  const services = status.services.map(
    ({ name, state, health, restarts }) =>
      `  ${name}  ${state}${health === null ? '' : `, ${health}`}${restarts > 0 ? `, ${restarts} restarts` : ''}`,
  );
  const problems = status.problems.map((problem) => `  ${problem.code}: ${describeProblem(problem)}`);
  return [
    ...rows.map(([name, value]) => `${name.padEnd(17)} ${value}`),
    ...(services.length > 0 ? ['services', ...services] : []),
    ...(problems.length > 0 ? ['problems', ...problems] : []),
    '',
  ].join('\n');
}

function safeModeRows(safeMode: Status['safeMode']): [string, string][] {
  if (safeMode === undefined) return [];
  const { since, address, code } = safeMode;
  return [
    [
      'safe mode',
      `${since === null ? '' : `since ${since}; `}page ${address ?? 'not reachable'}, code ${code ?? 'none'}`,
    ],
  ];
}

function release(deployment: Status['running']): string {
  if (deployment === null) return 'nothing';
  return `${deployment.role}@${deployment.commit.slice(0, 12)}`;
}
