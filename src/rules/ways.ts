/**
 * In which of many ways each of some rounds is tried, where to try every way in each would take too long: so that
 * each round meets every trait that a way has, and all rounds together as many ways as they can.
 *
 * @param traits of each way
 * @returns for each round the numbers of its ways, in their order
 */
export function waysOfRounds(
  traits: readonly (readonly string[])[],
  rounds: number,
): readonly (readonly number[])[] {
  const tried = traits.map(() => 0);
  return Array.from({ length: rounds }, () => {
    const open = new Set(traits.flat());
    const chosen: number[] = [];
    while (chosen.length < traits.length && (open.size > 0 || chosen.length === 0)) {
      // The first is one that was tried least; each other one brings most of what is missing.
      const gain = traits.map((own, way) => {
        if (chosen.includes(way)) return -1;
        return chosen.length === 0 ? 0 : own.reduce((sum, trait) => sum + (open.has(trait) ? 1 : 0), 0);
      });
      const best = gain.reduce((before, own, way) => {
        const other = gain[before] ?? -1;
        const isLess = own === other && (tried[way] ?? 0) < (tried[before] ?? 0);
        return own > other || isLess ? way : before;
      }, 0);
      chosen.push(best);
      for (const trait of traits[best] ?? []) open.delete(trait);
      tried[best] = (tried[best] ?? 0) + 1;
    }
    return chosen.sort((a, b) => a - b);
  });
}
