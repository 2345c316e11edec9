const rounds = 5;
const secondsPerRound = 3;
const atOnce = 8;

/** Requests a second of `ask` at 8 open requests. */
async function rate(ask: () => Promise<void>): Promise<number> {
  const end = performance.now() + secondsPerRound * 1000;
  let count = 0;
  const loop = async () => {
    while (performance.now() < end) {
      await ask();
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, loop));
  return count / secondsPerRound;
}

/**
 * Requests a second of each way to ask: a round of each in turn, so that the machine's mood meets all alike, after a
 * round that does not count. The median of the rounds.
 */
export async function alternate<Name extends string>(
  ways: Record<Name, () => Promise<void>>,
): Promise<Record<Name, number>> {
  const names = Object.keys(ways) as Name[];
  const seen = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (const name of names) await rate(ways[name]);
  for (let round = 0; round < rounds; round++) {
    for (const name of names) seen.get(name)?.push(await rate(ways[name]));
  }
  return Object.fromEntries(names.map((name) => [name, median(seen.get(name) ?? [])])) as Record<Name, number>;
}

function median(values: number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle) - 1] ?? 0)) / 2;
}
