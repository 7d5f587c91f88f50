/** A protocol with a guard taken out, and where exploring it shows what that costs. */
export interface Mutant {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** The configuration in which it is looked for. */
  readonly in: string;
  /** The number of the invariant that shows it. */
  readonly breaks: number;
}

interface Edit {
  readonly file: string;
  /** Occurs once in the file. */
  readonly find: string;
  readonly replace: string;
}

/** Guards that more than one mutant takes out. */
const IN_PROGRESS = "found?.status !== 'IN_PROGRESS' || found.owner === undefined || found.owner !== held.owner";
const SEEN = 'found?.version === seen.version && found.claimedAt === seen.claimedAt && found.owner === seen.owner';
const ADOPTABLE = "found?.status === 'COMPLETED' && found.fingerprint === run.fingerprint && !isExpired(found, now)";
const LEASE_UNTIL = 'Math.min(now + length, deadline) + clockSkew,';
const EXPIRY = '{ expiresAt: seconds(leaseUntil + retention) } : { retention }';
const MISMATCH = "  if (isOfAnother(found, claimant)) return { kind: 'mismatch' };\n";
const IF_RERUN = "onUnknown === 'rerun' ? { expiresAt";
const IDENTITY = '[scope, operation, principal ?? null, key]';

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'no owner on completion',
    in: 'two requests',
    breaks: 3,
    edits: [
      {
        file: 'stores/memory.ts',
        find: IN_PROGRESS,
        replace: "found?.status !== 'IN_PROGRESS' || (change.kind !== 'complete' && found.owner !== held.owner)",
      },
    ],
  },
  {
    name: 'no owner on commit',
    in: 'a commit',
    breaks: 3,
    edits: [
      {
        file: 'stores/memory.ts',
        find: IN_PROGRESS,
        replace: "found?.status !== 'IN_PROGRESS' || (change.kind !== 'complete' && found.owner !== held.owner)",
      },
    ],
  },
  {
    name: 'no owner on release',
    in: 'two requests',
    breaks: 3,
    edits: [
      {
        file: 'stores/memory.ts',
        find: IN_PROGRESS,
        replace: "found?.status !== 'IN_PROGRESS' || (change.kind !== 'release' && found.owner !== held.owner)",
      },
    ],
  },
  {
    name: 'no owner on a step',
    in: 'a step',
    breaks: 3,
    edits: [
      {
        file: 'stores/memory.ts',
        find: IN_PROGRESS,
        replace: "found?.status !== 'IN_PROGRESS' || (change.kind !== 'step' && found.owner !== held.owner)",
      },
    ],
  },
  {
    name: 'no owner on an extension',
    in: 'leases are prolonged',
    breaks: 3,
    edits: [
      {
        file: 'stores/memory.ts',
        find: IN_PROGRESS,
        replace: "found?.status !== 'IN_PROGRESS' || (change.kind !== 'extend' && found.owner !== held.owner)",
      },
    ],
  },
  {
    // Two guards: a run that completes never releases (8), so the condition alone cannot be reached.
    name: 'release without IN_PROGRESS, by a run whose completion was not answered',
    in: 'two requests',
    breaks: 2,
    edits: [
      {
        file: 'run/claimed.ts',
        find: '    return unsure(run, ending, why, error);\n',
        replace:
          "    if (why === 'completion') await release(holder).catch(() => {});\n    return unsure(run, ending, why, error);\n",
      },
      {
        file: 'stores/memory.ts',
        find: IN_PROGRESS,
        replace:
          "(found?.status !== 'IN_PROGRESS' && change.kind !== 'release') || found?.owner === undefined || found.owner !== held.owner",
      },
    ],
  },
  {
    name: 'replace not conditioned on the version seen',
    in: 'two requests',
    breaks: 2,
    edits: [
      {
        file: 'stores/memory.ts',
        find: SEEN,
        replace: 'found?.claimedAt === seen.claimedAt && found.owner === seen.owner',
      },
    ],
  },
  {
    name: 'replace not conditioned on the owner seen',
    in: 'three requests',
    breaks: 2,
    edits: [{ file: 'stores/memory.ts', find: ' && found.owner === seen.owner', replace: '' }],
  },
  {
    name: 'replace of whatever is there',
    in: 'two requests',
    breaks: 2,
    edits: [
      {
        file: 'stores/memory.ts',
        find: SEEN,
        replace: 'found !== undefined',
      },
    ],
  },
  {
    name: 'insert over what is there',
    in: 'two requests',
    breaks: 1,
    edits: [
      { file: 'stores/memory.ts', find: 'return found ? undefined : write.next;', replace: 'return write.next;' },
    ],
  },
  {
    name: 'release with a step in flight',
    in: 'steps side by side',
    breaks: 8,
    edits: [
      {
        file: 'run/claimed.ts',
        find: '!effects || floating.isIdle() || (await effects.steps.finished())',
        replace: 'true',
      },
    ],
  },
  {
    name: 'release with a step that may not be on record',
    in: 'a step',
    breaks: 8,
    edits: [{ file: 'run/steps.ts', find: 'runner.isSure() && running.size === 0', replace: 'running.size === 0' }],
  },
  {
    name: 'release with a commit that may have landed',
    in: 'a commit',
    breaks: 8,
    edits: [
      {
        file: 'run/claimed.ts',
        find: '  if (doubt) {\n',
        replace: '  if (false) {\n',
      },
    ],
  },
  {
    name: 'adoption across fingerprints',
    in: 'another payload',
    breaks: 5,
    edits: [
      {
        file: 'core/decide.ts',
        find: ADOPTABLE,
        replace: "found?.status === 'COMPLETED' && !isExpired(found, now)",
      },
    ],
  },
  {
    name: 'adoption of an expired outcome',
    in: 'two requests',
    breaks: 7,
    edits: [
      {
        file: 'core/decide.ts',
        find: ADOPTABLE,
        replace: "found?.status === 'COMPLETED' && found.fingerprint === run.fingerprint",
      },
    ],
  },
  {
    name: 'release on conflict',
    in: 'two requests',
    breaks: 3,
    edits: [
      {
        file: 'core/claim.ts',
        find: "    else return decision;\n  }\n  return { kind: 'conflict' };\n}\n\n/** A claim",
        replace:
          "    else {\n      if (decision.kind === 'conflict') await release({ ...holder, lease: seen as Claimed });\n      return decision;\n    }\n  }\n  return { kind: 'conflict' };\n}\n\n/** A claim",
      },
    ],
  },
  {
    name: 'lease in seconds',
    in: 'two requests',
    breaks: 1,
    edits: [
      {
        file: 'run/begin.ts',
        find: LEASE_UNTIL,
        replace: '(Math.min(now + length, deadline) + clockSkew) / 1000,',
      },
    ],
  },
  {
    name: 'no clock skew in the lease',
    in: 'the second clock is ahead',
    breaks: 1,
    edits: [
      {
        file: 'run/begin.ts',
        find: LEASE_UNTIL,
        replace: 'Math.min(now + length, deadline),',
      },
    ],
  },
  {
    name: 'no clock skew in an extension',
    in: 'leases are prolonged, the second clock is ahead',
    breaks: 1,
    edits: [
      {
        file: 'run/lease.ts',
        find: 'extend(holderOf(left), next + clockSkew,',
        replace: 'extend(holderOf(left), next,',
      },
    ],
  },
  {
    name: 'expiry before the lease',
    in: 'two requests',
    breaks: 1,
    edits: [
      {
        file: 'core/claim.ts',
        find: EXPIRY,
        replace: '{ expiresAt: seconds(now) } : { retention }',
      },
    ],
  },
  {
    name: 'takeover of a live lease',
    in: 'two requests',
    breaks: 1,
    edits: [
      {
        file: 'core/decide.ts',
        find: "  if (now < found.leaseUntil) return { kind: 'conflict', leaseUntil: found.leaseUntil };\n",
        replace: '',
      },
    ],
  },
  {
    name: 'mismatch after conflict',
    in: 'another payload',
    breaks: 5,
    edits: [
      {
        file: 'core/decide.ts',
        find: MISMATCH,
        replace: `  if (isHeld(found) && now < found.leaseUntil) return { kind: 'conflict' };\n${MISMATCH}`,
      },
    ],
  },
  {
    name: 'mismatch after replay',
    in: 'another payload',
    breaks: 5,
    edits: [
      {
        file: 'core/decide.ts',
        find: MISMATCH,
        replace: `  if (found.status === 'COMPLETED') return { kind: 'replay', outcome: found.outcome, attempt: found.attempt };\n${MISMATCH}`,
      },
    ],
  },
  {
    name: 'mismatch after release',
    in: 'another payload',
    breaks: 5,
    edits: [
      {
        file: 'core/decide.ts',
        find: MISMATCH,
        replace: `  if (found.status === 'IN_PROGRESS' && !isHeld(found)) return { kind: 'take', from: 'released' };\n${MISMATCH}`,
      },
    ],
  },
  {
    name: 'replay of an expired outcome',
    in: 'two requests',
    breaks: 7,
    edits: [
      {
        file: 'core/decide.ts',
        find: "  if (isExpired(found, now)) return { kind: 'take', from: 'expired' };\n",
        replace: '',
      },
    ],
  },
  {
    name: 'a claim that does not know itself',
    in: 'two requests',
    breaks: 6,
    edits: [
      {
        file: 'core/decide.ts',
        find: "  if (isHeld(found) && found.owner === claimant.owner) return { kind: 'mine', lease: found };\n",
        replace: '',
      },
    ],
  },
  {
    name: 'steps dropped by a takeover',
    in: 'a step',
    breaks: 4,
    edits: [
      {
        file: 'core/claim.ts',
        find: "takeover?.from !== 'expired' && takeover?.seen.status === 'IN_PROGRESS' ? takeover.seen.steps : {}",
        replace: '{}',
      },
    ],
  },
  {
    name: 'a lost completion answered as if it had landed',
    in: 'two requests',
    breaks: 2,
    edits: [
      {
        file: 'run/claimed.ts',
        find: "if (result.kind !== 'lost' || !isCompletion) return",
        replace: 'if (true) return',
      },
    ],
  },
  {
    name: 'a commit answered with what the handler made of it',
    in: 'a commit',
    breaks: 2,
    edits: [
      {
        file: 'run/claimed.ts',
        find: '  if (committed) return committedAnswer(run.about, ending, committed.value);\n',
        replace: '',
      },
    ],
  },
  {
    name: 'an unknown outcome that expires, though it is not to be rerun',
    in: 'unknown outcomes are refused',
    breaks: 9,
    edits: [
      {
        file: 'core/claim.ts',
        find: IF_RERUN,
        replace: 'onUnknown !== undefined ? { expiresAt',
      },
    ],
  },
  {
    name: 'an unknown outcome that is rerun, though it is to be refused',
    in: 'unknown outcomes are refused',
    breaks: 9,
    edits: [
      {
        file: 'core/decide.ts',
        find: "return claimant.onUnknown === 'refuse' ? { kind: 'unknown' } : { kind: 'take', from: 'abandoned' };",
        replace: "return { kind: 'take', from: 'abandoned' };",
      },
    ],
  },
  {
    name: 'an unknown outcome that is rerun, though it is to be looked into',
    in: 'unknown outcomes are looked into, and found',
    breaks: 9,
    edits: [
      {
        file: 'run/begin.ts',
        find: 'return inside(arrival, () => reconciled(run, takeover.seen, { ...replayer(), onUnknown }));',
        replace: 'return run;',
      },
    ],
  },
  {
    name: 'an unknown outcome that is free, after a takeover without an answer',
    in: 'unknown outcomes are looked into, and rerun',
    breaks: 9,
    edits: [
      { file: 'core/claim.ts', find: "takeover?.from === 'abandoned' ? surrender : release", replace: 'release' },
    ],
  },
  {
    name: 'an unknown outcome that is free, after a look that failed',
    in: 'unknown outcomes are looked into, and found',
    breaks: 9,
    edits: [
      {
        file: 'run/claimed.ts',
        find: "if (isUndecided && takeover?.from === 'abandoned') {",
        replace: 'if (false) {',
      },
    ],
  },
  {
    name: 'a key that does not tell operations apart',
    in: 'another key',
    breaks: 5,
    edits: [{ file: 'core/identity.ts', find: IDENTITY, replace: '[scope]' }],
  },
  {
    name: 'a key that does not tell callers apart',
    in: 'another caller',
    breaks: 5,
    edits: [
      {
        file: 'core/identity.ts',
        find: IDENTITY,
        replace: '[scope, operation, key]',
      },
    ],
  },
  {
    name: 'a key that is another every time',
    in: 'two requests',
    breaks: 5,
    edits: [
      {
        file: 'core/identity.ts',
        find: IDENTITY,
        replace: '[scope, randomUUID()]',
      },
      {
        file: 'core/identity.ts',
        find: "import { hash } from 'node:crypto';",
        replace: "import { hash, randomUUID } from 'node:crypto';",
      },
    ],
  },
  {
    name: 'an outcome that expires at once',
    in: 'two requests',
    breaks: 2,
    edits: [
      {
        file: 'core/protocol.ts',
        find: 'completedAt: now, expiresAt: seconds(now + retention)',
        replace: 'completedAt: now, expiresAt: seconds(now)',
      },
    ],
  },
  {
    name: 'a commit without its writes',
    in: 'a commit',
    breaks: 4,
    edits: [
      {
        file: 'core/protocol.ts',
        find: "const written = await store.transact({ kind: 'update', held: lease, change }, writes);",
        replace: "const written: any = await store.write({ kind: 'update', held: lease, change });",
      },
    ],
  },
  {
    name: 'a late extension that moves the lease back',
    in: 'leases are prolonged, by answers that are late',
    breaks: 12,
    edits: [
      {
        file: 'core/record.ts',
        find: "return change.kind === 'extend' && change.leaseUntil < record.leaseUntil;",
        replace: 'return false;',
      },
    ],
  },
  {
    name: 'a handler that is run twice',
    in: 'two requests',
    breaks: 4,
    edits: [
      {
        file: 'run/begin.ts',
        find: '      answer = await run(begun.execution);',
        replace: '      await run(begun.execution);\n      answer = await run(begun.execution);',
      },
    ],
  },
  {
    name: 'a claim that expires with its lease',
    in: 'two requests',
    breaks: 2,
    edits: [
      {
        file: 'core/claim.ts',
        find: EXPIRY,
        replace: '{ expiresAt: seconds(leaseUntil) } : { retention }',
      },
    ],
  },
  {
    name: 'a release that expires at once',
    in: 'a step',
    breaks: 2,
    edits: [
      {
        file: 'core/protocol.ts',
        find: "kind: 'release', expiresAt: seconds(now + retention)",
        replace: "kind: 'release', expiresAt: seconds(now)",
      },
    ],
  },
  {
    name: 'an extension that leaves the expiry where it was',
    in: 'leases are prolonged',
    breaks: 2,
    edits: [
      {
        file: 'core/protocol.ts',
        find: "kind: 'extend', leaseUntil, ...expiry(lease, leaseUntil + retention)",
        replace: "kind: 'extend', leaseUntil, expiresAt: lease.expiresAt",
      },
    ],
  },
  {
    name: 'an unknown outcome that expires, though it is to be looked into',
    in: 'unknown outcomes are looked into, and found',
    breaks: 9,
    edits: [
      {
        file: 'core/claim.ts',
        find: IF_RERUN,
        replace: "onUnknown !== 'refuse' ? { expiresAt",
      },
    ],
  },
  {
    name: 'a refusal that nobody hears of',
    in: 'two requests',
    breaks: 10,
    edits: [
      {
        file: 'run/begin.ts',
        find: 'throw refused(about, claimRefusal(claimed, arrival));',
        replace: 'throw claimRefusal(claimed, arrival);',
      },
    ],
  },
  {
    name: 'an end that nobody hears of, after a completion without an answer',
    in: 'two requests',
    breaks: 10,
    edits: [
      { file: 'run/claimed.ts', find: 'return unsure(run, ending, why, error);', replace: 'return answerOf(ending);' },
    ],
  },
  {
    name: 'a completion that is told though it was lost',
    in: 'two requests',
    breaks: 10,
    edits: [
      {
        file: 'run/claimed.ts',
        find: "tell(result.kind === 'done' ? done : { type: 'lost', code: 'LEASE_LOST' });",
        replace: 'tell(done);',
      },
    ],
  },
  {
    name: 'a claim that was given up, and lands later',
    in: 'two requests',
    breaks: 11,
    edits: [{ file: 'core/claim.ts', find: 'if (isInDoubt(error)) await', replace: 'if (false) await' }],
  },
  {
    name: 'a takeover that was given up, and lands later',
    in: 'unknown outcomes are looked into, and rerun',
    breaks: 11,
    edits: [
      {
        file: 'core/claim.ts',
        find: 'version: takeover.seen.version + 1 }',
        replace: 'version: takeover.seen.version }',
      },
    ],
  },
  {
    name: 'a step that begins when the lease is over',
    in: 'a step',
    breaks: 12,
    edits: [{ file: 'run/steps.ts', find: 'if (!lease.isHeld()) throw lost(id);', replace: '' }],
  },
  {
    name: 'a commit that begins when the lease is over',
    in: 'a commit',
    breaks: 12,
    edits: [{ file: 'run/commit.ts', find: "if (!lease.isHeld()) throw lost('the lease is over');", replace: '' }],
  },
  {
    name: 'an extension that begins when the lease is over',
    in: 'leases are prolonged',
    breaks: 12,
    edits: [
      { file: 'run/lease.ts', find: '    if (!isHeld()) return;\n    const result', replace: '    const result' },
    ],
  },
  {
    name: 'an outcome of a run that forgot',
    in: 'a run that forgets',
    breaks: 13,
    edits: [{ file: 'run/claimed.ts', find: 'if (isForgotten(run)) return undefined;', replace: '' }],
  },
  {
    name: 'a run that forgets, and keeps its payload',
    in: 'a run that forgets',
    breaks: 13,
    edits: [
      {
        file: 'run/claimed.ts',
        find: 'isForgotten(run) && isUntouched ? release',
        replace: 'false ? release',
      },
    ],
  },
  {
    name: 'a run that forgets what the one before it has done',
    in: 'a run that forgets after another',
    breaks: 13,
    edits: [
      {
        file: 'run/claimed.ts',
        find: 'isForgotten(run) && isUntouched ? release',
        replace: 'isForgotten(run) ? release',
      },
    ],
  },
];
