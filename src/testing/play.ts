import { type Counts, textOf } from './effects.ts';
import { type Mishap, type Place, type Setting, sceneOf, shortened } from './scene.ts';
import { type Delivered, type Verdict, verdictOn } from './verdict.ts';

/** What came of a schedule. */
export interface Played {
  readonly places: readonly Place[];
  /** What had happened when the sender got its outcome. */
  readonly first: Counts;
  /** And when a duplicate got it, too. */
  readonly counts: Counts;
  readonly ending: 'done' | 'refused' | 'stuck';
  /** The last answer: why it is stuck. */
  readonly answer: Delivered;
  readonly history: readonly string[];
}

const PAUSE_MS = 1_000;

/** Plays a schedule in an empty world: the event until it gets an outcome, then its duplicate. `mishaps`: by place. */
export async function play(setting: Setting, mishaps: ReadonlyMap<number, Mishap>): Promise<Played> {
  const { event, start, deliveries } = setting;
  const scene = sceneOf(setting, mishaps);
  let process = scene.launched(start);
  let answer: Delivered | undefined;

  const deliver = async (title: string): Promise<Verdict> => {
    let verdict: Verdict = { kind: 'again', event };
    for (let round = 1; round <= deliveries && verdict.kind === 'again'; round++) {
      const wait = answer === undefined ? 0 : Math.max(scene.leasesEnd() - process.now(), PAUSE_MS);
      if (answer === 'died') process = scene.launched(process.now() + wait);
      else await process.pass(wait);
      scene.note(`${round > 1 ? 'the same again' : title}${wait > 0 ? `, ${wait / 1000} s later` : ''}`);
      const sent: unknown = verdict.event;
      answer = await process.deliver(structuredClone(sent));
      if (answer !== 'died') scene.note(`  ${answered(answer)}`);
      verdict = verdictOn(sent, answer);
    }
    return verdict;
  };

  const verdict = await deliver('the event');
  const first = scene.counts();
  const last = verdict.kind === 'again' ? verdict : await deliver('a duplicate');
  const isStuck = verdict.kind === 'again' || last.kind === 'again';
  return {
    places: scene.places,
    first,
    counts: scene.counts(),
    ending: isStuck ? 'stuck' : verdict.kind,
    answer: answer ?? 'died',
    history: scene.history,
  };
}

function answered(delivered: Exclude<Delivered, 'died'>): string {
  if ('value' in delivered) return `answer: ${shortened(textOf([delivered.value]))}`;
  return `error: ${shortened(String(delivered.error))}`;
}
