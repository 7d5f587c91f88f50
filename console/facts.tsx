import type { ComponentChildren, VNode } from 'preact';
import type { Shown } from '../cli/console/wire.ts';
import { part } from './results.tsx';
import { When } from './said.tsx';
import { sized } from './words.ts';

interface FactsProps {
  readonly shown: Shown;
}

/** Whose a record is, and its times. */
export function Facts({ shown }: FactsProps): VNode {
  const { scope, key, operation, principal, attempt } = shown;
  const { claimedAt, leaseUntil, completedAt, expiresAt, isCommit } = shown;
  return (
    <dl class="facts">
      {key === undefined && (
        <Fact name="Key">not in the record: it was told to keep none, or is of an earlier version</Fact>
      )}
      <Fact name="Scope">{scope}</Fact>
      {operation !== undefined && <Fact name="Operation">{part(shown, 'operation')}</Fact>}
      {key !== undefined && (
        <Fact name="Caller">{principal === undefined ? 'nobody' : <code>{part(shown, 'principal')}</code>}</Fact>
      )}
      <Fact name="Attempt">{attempt}</Fact>
      <Fact name="Claimed">
        <When at={claimedAt} />
      </Fact>
      {leaseUntil !== undefined && (
        <Fact name={leaseUntil > Date.now() ? 'Lease ends' : 'Lease ended'}>
          <When at={leaseUntil} />
        </Fact>
      )}
      {completedAt !== undefined && (
        <Fact name="Completed">
          <When at={completedAt} />
          {isCommit && ', together with its writes, by a commit'}
        </Fact>
      )}
      <Fact name="Kept until">{expiresAt === undefined ? 'somebody decides it' : <When at={expiresAt} />}</Fact>
    </dl>
  );
}

/** What else there is, for a log or a ticket. */
export function Inner({ shown: { id, source, version, bytes, owner, fingerprint } }: FactsProps): VNode {
  return (
    <details class="inner">
      <summary>The record itself</summary>
      <dl class="facts">
        <Fact name="Id">
          <code>{id}</code>
        </Fact>
        {source !== undefined && <Fact name="Source">{source}</Fact>}
        <Fact name="Version">{version}</Fact>
        <Fact name="Size">{sized(bytes)}</Fact>
        {owner !== undefined && (
          <Fact name="Run">
            <code>{owner}</code>
          </Fact>
        )}
        {fingerprint !== undefined && (
          <Fact name="Fingerprint">
            <code>{fingerprint}</code>
          </Fact>
        )}
      </dl>
    </details>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }): VNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
