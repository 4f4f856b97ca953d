import { problemOf, describeProblem } from '@metrica-fleet/protocol';
import { lintRole, type Finding } from '@metrica-fleet/protocol/lint';
import { isFile } from '@metrica-fleet/protocol';
import type { Kysely, Transaction } from 'kysely';
import { randomUUID } from 'node:crypto';
import type { ArtifactStore } from '../artifacts/store.ts';
import { recordAudit } from '../audit/record-audit.ts';
import { announce } from '../db/announce.ts';
import type { Schema } from '../db/schema.ts';
import type { Git } from './git.ts';
import { readRole, type CommitFacts, type RoleContent } from './mirror.ts';
import type { Signer } from './signer.ts';
import { addStatement } from './statements.ts';

export interface ReleasePorts {
  readonly db: Kysely<Schema>;
  readonly git: Git;
  readonly artifacts: ArtifactStore;
  readonly signer: Signer;
  readonly now: () => Date;
  /** Lets Deployment Control take a release out, in the transaction that records it. */
  readonly rollOut: (
    trx: Transaction<Schema>,
    release: { readonly releaseId: string; readonly role: string; readonly statementId: string },
  ) => Promise<void>;
}

export interface NewRelease {
  readonly role: string;
  /** Git's id of the role's folder. */
  readonly tree: string;
  readonly facts: CommitFacts;
}

/**
 * Makes a release of a role at a commit: lint, bundle, signed statement, rollout. One that fails lint, or cannot be
 * read by the rules of the manifest, is kept as refused, shown, and never offered. Twice is once. Returns whether it
 * may roll out.
 */
export async function makeRelease(ports: ReleasePorts, wanted: NewRelease): Promise<boolean> {
  const judged = await judge(ports, wanted);
  const { content } = judged;
  const ready = content !== null && !judged.findings.some(({ severity }) => severity === 'error');
  const bytes = ready ? await store(ports.artifacts, content) : null;
  await ports.db.transaction().execute(async (trx) => {
    const releaseId = await insert(trx, { ...wanted, ...judged, ready, bytes });
    if (releaseId === null) return;
    const { role, facts } = wanted;
    await recordAudit(trx, {
      actor: 'overlord',
      action: ready ? 'make release' : 'refuse release',
      subject: `role:${role}`,
      detail: `${facts.commit.slice(0, 12)} by ${facts.author}: ${facts.subject}`.slice(0, 500),
    });
    await announce(trx, 'releases', releaseId);
    if (!ready) return;
    const release = { role, commit: facts.commit, digest: content.digest };
    const statementId = await addStatement(trx, ports.signer, { releaseId, release, now: ports.now() });
    await ports.rollOut(trx, { releaseId, role, statementId });
  });
  return ready;
}

interface Judged {
  readonly content: RoleContent | null;
  readonly findings: readonly Finding[];
}

async function judge({ git }: ReleasePorts, { role, facts }: NewRelease): Promise<Judged> {
  try {
    const content = await readRole(git, facts.commit, role);
    return { content, findings: lintRole(content.files) };
  } catch (thrown) {
    const problem = problemOf(thrown);
    // The network or Git failed, not the author: tried again with the next fetch.
    if (problem.code === 'source-unreachable' || problem.code === 'agent-bug') throw thrown;
    const finding: Finding = {
      severity: 'error',
      rule: 'role-file',
      file: problem.where ?? '.',
      line: null,
      what: describeProblem({ ...problem, remedy: '' }),
      remedy: problem.remedy ?? 'Correct it and push again.',
    };
    return { content: null, findings: [finding] };
  }
}

async function store(artifacts: ArtifactStore, { digest, manifest, files }: RoleContent): Promise<number> {
  return artifacts.put(digest, manifest, (path) => {
    const entry = files.files.get(path);
    if (entry instanceof Uint8Array) return Promise.resolve(entry);
    return Promise.reject(new Error(`${path} is not a file of the role`));
  });
}

interface Row extends NewRelease, Judged {
  readonly ready: boolean;
  readonly bytes: number | null;
}

/** Null when this release has been made before. */
async function insert(trx: Transaction<Schema>, row: Row): Promise<string | null> {
  const { role, tree, facts, content, findings, ready, bytes } = row;
  const files = (content?.manifest.entries ?? []).map((entry) => ({
    path: entry.path,
    size: isFile(entry) ? entry.size : 0,
  }));
  const inserted = await trx
    .insertInto('releases')
    .values({
      id: randomUUID(),
      role,
      commit: facts.commit,
      tree,
      digest: content?.digest ?? null,
      state: ready ? 'ready' : 'refused',
      subject: facts.subject.slice(0, 500),
      message: facts.message.slice(0, 10_000),
      author: facts.author.slice(0, 200),
      committed_at: facts.committedAt,
      findings: JSON.stringify(findings),
      files: JSON.stringify(files),
      bundle_bytes: bytes === null ? null : String(bytes),
    })
    .onConflict((conflict) => conflict.columns(['role', 'commit']).doNothing())
    .returning('id')
    .executeTakeFirst();
  return inserted?.id ?? null;
}
