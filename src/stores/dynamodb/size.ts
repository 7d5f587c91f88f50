import type { Item } from './item.ts';

/**
 * Bytes of an item, as DynamoDB counts: names and values, and a little for each map.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function itemBytes(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + weightOf(value), 0);
}

/** An attribute that no record has, as of another tool's item, counts 1. */
function weightOf(attribute: Item[string]): number {
  if ('S' in attribute) return Buffer.byteLength(attribute.S);
  if ('N' in attribute) return Math.ceil(attribute.N.length / 2) + 1;
  if ('B' in attribute) return attribute.B.length;
  return 'M' in attribute ? 3 + Object.keys(attribute.M).length + itemBytes(attribute.M) : 1;
}
