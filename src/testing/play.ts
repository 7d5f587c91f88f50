import { type Counts, textOf } from './effects.ts';
import { type Delivered, type Reaction, reactionTo } from './reaction.ts';
import { type Mishap, type Place, type Setting, sceneOf, shortened } from './scene.ts';

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

  const deliver = async (title: string): Promise<Reaction> => {
    let reaction: Reaction = { kind: 'again', event };
    for (let round = 1; round <= deliveries && reaction.kind === 'again'; round++) {
      const wait = answer === undefined ? 0 : Math.max(scene.leasesEnd() - process.now(), PAUSE_MS);
      if (answer === 'died') process = scene.launched(process.now() + wait);
      else await process.pass(wait);
      scene.note(`${round > 1 ? 'the same again' : title}${wait > 0 ? `, ${wait / 1000} s later` : ''}`);
      const sent: unknown = reaction.event;
      answer = await process.deliver(structuredClone(sent));
      if (answer !== 'died') scene.note(`  ${answered(answer)}`);
      reaction = reactionTo(sent, answer);
    }
    return reaction;
  };

  const reaction = await deliver('the event');
  const first = scene.counts();
  const last = reaction.kind === 'again' ? reaction : await deliver('a duplicate');
  const isStuck = reaction.kind === 'again' || last.kind === 'again';
  return {
    places: scene.places,
    first,
    counts: scene.counts(),
    ending: isStuck ? 'stuck' : reaction.kind,
    answer: answer ?? 'died',
    history: scene.history,
  };
}

function answered(delivered: Exclude<Delivered, 'died'>): string {
  if ('value' in delivered) return `answer: ${shortened(textOf([delivered.value]))}`;
  return `error: ${shortened(String(delivered.error))}`;
}
