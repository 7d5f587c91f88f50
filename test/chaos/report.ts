import { CHECKS, type Evidence } from './checks.ts';
import { repeatsIn } from './explain.ts';
import { isApplied } from './log.ts';
import { isInProgress } from './settle.ts';
import { SHORTENED } from './shop.ts';
import { summed, tally, verdict } from './verdict.ts';

/** What happened, and what holds. The last line is as Vitest writes it. */
export function report(evidence: Evidence, seconds: number): { readonly text: string; readonly failed: number } {
  const { lines, failed } = verdict(CHECKS, evidence, (finding) => logOf(evidence, finding));
  return { text: [...summary(evidence, seconds), '', ...lines].join('\n'), failed };
}

function summary({ plan, sends, log, state }: Evidence, seconds: number): string[] {
  const { http, duplicates } = sends;
  const applied = log.entries.filter(isApplied);
  const runs = (kind: string): number => applied.filter((entry) => entry.kind === kind).length;
  const repeats = repeatsIn(log);
  const killed = log.kills.map(({ plan: { moment, at } }) => `${moment} a ${at}`);
  const faults = log.entries.flatMap(({ fault }) => fault ?? []);
  const charged = Map.groupBy(state.ledger, ({ orderId }) => orderId);
  const doubles = [...charged.values()].filter((items) => items.length > 1).length;
  const rows: [string, string | number][] = [
    ['seed', plan.seed],
    [
      'set after the deployment',
      `function timeout ${SHORTENED.timeoutSeconds} s, visibility ${SHORTENED.visibilitySeconds} s`,
    ],
    ['orders', plan.orders.length],
    ['sends over HTTP', `${http.length}: ${tally(http.map(({ status }) => `${status}`))}`],
    ['aborts by the client', http.filter(({ status }) => status === 'aborted').length],
    ['duplicates over SQS', duplicates.length],
    ['workers killed', `${log.kills.length}: ${tally(killed)}`],
    ['faults', `${faults.length}: ${tally(faults.map((fault) => (typeof fault === 'number' ? 'delay' : fault)))}`],
    ['runs', `${runs('claim of an order')} of orders, ${runs('claim of a charge')} of charges`],
    ['charges', state.ledger.length],
    ['charge requests', state.ledger.reduce((total, { requests }) => total + requests, 0)],
    [
      'repeated requests explained',
      `${repeats.filter(({ cause }) => cause).length} of ${repeats.length}${repeats.length > 0 ? `: ${tally(repeats.map(({ cause = 'UNEXPLAINED' }) => cause))}` : ''}`,
    ],
    ['double charges', doubles],
    ['records resumed at the end', state.resumed.length],
    ['stuck keys', state.records.filter(isInProgress).length],
    ['dead letters', state.deadLetters.length],
    ['duration', `${seconds} s`],
  ];
  return summed(rows);
}

/** The log of the order, or of the record, that a finding names. */
function logOf({ log }: Evidence, finding: string): string[] {
  const named = new Set(finding.split(' '));
  const start = log.entries[0]?.at ?? 0;
  return log.entries
    .filter(({ orders, record = '' }) => named.has(record) || orders.some((order) => named.has(order)))
    .map(({ at, worker, invocation, kind = 'other', attempt, fault, answered }) => {
      const isKilled = log.kills.some((killed) => killed.invocation === invocation);
      const told = [
        attempt !== undefined && `attempt ${attempt}`,
        answered ? `answered ${answered.status} after ${answered.at - at} ms` : 'never arrived',
        fault !== undefined && `fault: ${fault}`,
        isKilled && 'its worker was killed',
      ];
      return `    ${(at - start).toString().padStart(7)} ms  worker ${worker}  ${kind}: ${told.filter(Boolean).join(', ')}`;
    });
}
