/** A commit as people name it: its first seven digits. */
export function shortCommit(commit: string): string {
  return commit.slice(0, 7);
}

/** A commit, or a dash where there is none. */
export function Commit({ commit }: { commit: string | null }) {
  if (commit === null) return <span className="text-ink-3">–</span>;
  return (
    <code className="font-mono text-12" title={commit}>
      {shortCommit(commit)}
    </code>
  );
}
