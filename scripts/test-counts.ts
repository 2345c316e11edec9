import { stripVTControlCharacters } from "node:util";

export interface TestCounts {
  passed: number;
  failed: number;
}

/** Adds up the `Tests  1 failed | 41 passed (42)` lines that vitest ends its runs with. */
export function testCounts(output: string): TestCounts {
  const lines = stripVTControlCharacters(output).match(/^\s*Tests\s+\d.*$/gm) ?? [];
  const count = (line: string, word: string) => Number(line.match(new RegExp(`(\\d+) ${word}`))?.[1] ?? 0);
  return {
    passed: lines.reduce((sum, line) => sum + count(line, "passed"), 0),
    failed: lines.reduce((sum, line) => sum + count(line, "failed"), 0),
  };
}
