import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { several } from './words.ts';

interface TreeProps {
  readonly value: unknown;
  /** Of the member that it is. */
  readonly name?: string;
  readonly depth?: number;
}

const OPEN_TO = 3;
const CHILDREN_AT_ONCE = 100;
const TEXT_AT_ONCE = 2_000;

/** A value of JSON, pretty-printed; what has members can be folded. A text that is JSON is shown as that. */
export function Tree({ value, name, depth = 0 }: TreeProps): VNode {
  const inner = typeof value === 'string' ? jsonIn(value) : undefined;
  const content = inner ?? value;
  if (typeof content !== 'object' || content === null)
    return (
      <div class="leaf">
        <Name name={name} />
        <Leaf value={value} />
      </div>
    );
  const entries = Object.entries(content);
  const isList = Array.isArray(content);
  const size = several(entries.length, isList ? 'item' : 'member');
  return (
    <details class="tree" open={depth < OPEN_TO}>
      <summary>
        <Name name={name} />
        <small>
          {inner !== undefined && 'JSON as text, '}
          {isList ? 'list of ' : ''}
          {size}
        </small>
      </summary>
      <Members entries={entries} depth={depth + 1} />
    </details>
  );
}

function Members({
  entries,
  depth,
}: {
  readonly entries: readonly [string, unknown][];
  readonly depth: number;
}): VNode {
  const [most, setMost] = useState(CHILDREN_AT_ONCE);
  return (
    <div class="members">
      {entries.slice(0, most).map(([name, value]) => (
        <Tree key={name} name={name} value={value} depth={depth} />
      ))}
      {entries.length > most && (
        <button class="more" type="button" onClick={() => setMost(most * 10)}>
          {several(entries.length - most, 'more', 'more')}
        </button>
      )}
    </div>
  );
}

function Name({ name }: Pick<TreeProps, 'name'>): VNode | null {
  return name === undefined ? null : <span class="member">{name}: </span>;
}

function Leaf({ value }: Pick<TreeProps, 'value'>): VNode {
  const [isWhole, setWhole] = useState(false);
  const text = value === undefined ? 'no value' : JSON.stringify(value);
  return (
    <>
      <code data-type={value === null ? 'null' : typeof value}>{isWhole ? text : text.slice(0, TEXT_AT_ONCE)}</code>
      {!isWhole && text.length > TEXT_AT_ONCE && (
        <button class="more" type="button" onClick={() => setWhole(true)}>
          … all {several(text.length, 'character')}
        </button>
      )}
    </>
  );
}

/** The object or list that a text is in JSON, as the body of a response is. */
function jsonIn(text: string): object | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
