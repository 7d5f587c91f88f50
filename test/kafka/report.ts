import { summed, tally, verdict } from '../chaos/verdict.ts';
import { CHECKS, type Evidence, readAgain } from './checks.ts';
import { PARTITIONS } from './plan.ts';

/** What happened, and what holds. The last line is as Vitest writes it. */
export function report(evidence: Evidence, seconds: number): { readonly text: string; readonly failed: number } {
  const { lines, failed } = verdict(CHECKS, evidence);
  return { text: [...summed(rowsOf(evidence, seconds)), '', ...lines].join('\n'), failed };
}

function rowsOf(evidence: Evidence, seconds: number): [string, string | number][] {
  const { plan, state, kills, restarts, deliveries, throttled } = evidence;
  const isPartial = ({ failed, records }: Evidence['deliveries'][number]) => failed > 0 && failed < records;
  return [
    ['seed', plan.seed],
    ['partitions', PARTITIONS],
    ['events', `${plan.events.length} of ${new Set(plan.events.map(({ tripId }) => tripId)).size} trips`],
    ['messages', `${plan.messages.length}: ${tally(plan.messages.map(({ kind }) => kind))}`],
    ['consumers killed', `${kills.length}: ${tally(kills.map(({ moment }) => moment))}`],
    [
      'read again after restarts',
      `${restarts.map((_, index) => readAgain(restarts.slice(0, index + 1))).join(', ')} messages`,
    ],
    ['deliveries heard of', `${deliveries.length} of ${sum(deliveries.map(({ records }) => records))} records`],
    [
      'done in part',
      `${deliveries.filter(isPartial).length}, with ${sum(deliveries.map(({ failed }) => failed))} records to come again`,
    ],
    ['thrown', deliveries.filter(({ threw }) => threw).length],
    ['requests throttled', sum([...throttled.values()])],
    ['rows in the ledger', `${state.ledger.length}: ${tally(state.ledger.map(({ outcome }) => outcome))}`],
    ['rows written twice', state.ledger.filter(({ timesWritten }) => timesWritten !== 1).length],
    ['set aside', state.rejected.length],
    ['duration', `${seconds} s`],
  ];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
