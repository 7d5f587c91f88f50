import fc from 'fast-check';

/** What JSON can say, out of so small a world that two of it are often equal, and mostly nearly so. */
const { smallJson } = fc.letrec<{ smallJson: unknown }>((tie) => ({
  smallJson: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom(null, true, 0, 1, '', '0', 'null'),
    fc.array(tie('smallJson'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'A', '', '0', '__proto__'), tie('smallJson'), {
      maxKeys: 2,
      noNullPrototype: true,
    }),
  ),
}));

/** Two of it; of every other pair the second is the first with its members in another order. */
export const twoSmallJsons: fc.Arbitrary<[unknown, unknown]> = fc
  .tuple(smallJson, fc.option(smallJson, { freq: 1 }))
  .map(([first, second]) => [first, second ?? reordered(first)]);

function reordered(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, member) =>
    member && typeof member === 'object' && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).reverse())
      : member,
  );
}
