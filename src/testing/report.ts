import type { Counts } from './effects.ts';
import type { Played } from './play.ts';

/** What is wrong in one schedule. */
interface Finding {
  /** What went wrong where: "crash after charge". */
  readonly point: string;
  /** What happened, line by line. */
  readonly history: readonly string[];
}

/** An effect that did not happen as often as it does where nothing goes wrong. */
export interface Miscount extends Finding {
  /** Its name; `commit` for the writes of a commit. */
  readonly effect: string;
  /** With these arguments; absent: whatever they are. */
  readonly args?: string;
  readonly times: number;
  readonly expected: number;
}

/** What {@link explore} found. */
export interface Report {
  /** How many were played. */
  readonly schedules: number;
  /** No finding of any kind. */
  readonly isSafe: boolean;
  /** Effects that happened more often than without a fault. */
  readonly doubles: readonly Miscount[];
  /** Effects that happened less often, though the sender was told that it is done. */
  readonly lost: readonly Miscount[];
  /** Where no delivery got an outcome. */
  readonly stuck: readonly Finding[];
  /** All of it, for people: of each effect one history, and the other points. */
  readonly text: string;
  /** As `text`. */
  toString(): string;
  /** Throws an error with `text` where it is not safe. */
  assert(): void;
}

export interface Schedule {
  readonly point: string;
  readonly played: Played;
}

/** What is wrong in schedules, measured by what happens where nothing goes wrong. */
export function reportOn(clean: Played, schedules: readonly Schedule[]): Report {
  const doubles: Miscount[] = [];
  const lost: Miscount[] = [];
  const stuck: Finding[] = [];
  for (const { point, played } of schedules) {
    const { history, counts, ending } = played;
    const finding = { point, history };
    doubles.push(...doublesIn(clean.first, counts).map((miscount) => ({ ...miscount, ...finding })));
    if (ending === 'stuck') stuck.push(finding);
    else if (ending === 'done') lost.push(...lostIn(clean.first, counts).map((one) => ({ ...one, ...finding })));
  }
  const found = { schedules: schedules.length, doubles, lost, stuck };
  const text = textOf(found);
  const isSafe = doubles.length + lost.length + stuck.length === 0;
  return {
    ...found,
    isSafe,
    text,
    toString: () => text,
    assert: () => {
      if (!isSafe) throw new Error(text);
    },
  };
}

type Count = Pick<Miscount, 'effect' | 'args' | 'times' | 'expected'>;

function doublesIn(expected: Counts, counts: Counts): Count[] {
  return [...counts].flatMap(([effect, { total, byArguments }]) => {
    const usual = expected.get(effect);
    // One that happened twice may hide one that is missing: then its arguments tell.
    for (const [args, times] of byArguments) {
      const before = Math.max(1, usual?.byArguments.get(args) ?? 0);
      if (times > before) return { effect, args, times, expected: before };
    }
    const before = usual?.total ?? 1;
    return total > before ? { effect, times: total, expected: before } : [];
  });
}

function lostIn(expected: Counts, counts: Counts): Count[] {
  return [...expected].flatMap(([effect, { total }]) => {
    const times = counts.get(effect)?.total ?? 0;
    return times < total ? { effect, times, expected: total } : [];
  });
}

function textOf({ schedules, doubles, lost, stuck }: Pick<Report, 'schedules' | 'doubles' | 'lost' | 'stuck'>): string {
  const miscounts = [...doubles, ...lost];
  const titled = [
    ...miscounts.map((found) => ({
      ...found,
      title: `${found.effect}${found.args ? `(${found.args})` : ''} happened ${timesOf(found)}`,
    })),
    ...stuck.map((found) => ({ ...found, title: 'no delivery got an outcome' })),
  ];
  if (titled.length === 0) return `Safe to retry: explored ${schedules} schedules.`;
  const groups = [...Map.groupBy(titled, ({ title }) => title)].map(([title, [first, ...others]]) =>
    [
      `${title}: ${first?.point}`,
      ...(first?.history ?? []).map((line) => `    ${line}`),
      ...(others.length > 0 ? [`  also: ${[...new Set(others.map(({ point }) => point))].join('; ')}`] : []),
    ].join('\n'),
  );
  return [`Not safe to retry: explored ${schedules} schedules.`, ...groups].join('\n\n');
}

function timesOf({ times, expected }: Miscount): string {
  const inWords = (count: number): string => ['never', 'once', 'twice'][count] ?? `${count} times`;
  return `${inWords(times)} instead of ${inWords(expected)}`;
}
