import { afterAll, afterEach, beforeEach, expect } from "vitest";
import { cachedQueries, deliberate, shadowFindings, uncacheable } from "./hyperdrive.ts";

let lines: string[] = [];
let expected = false;

/** Says that the test provokes an error that the worker has to log; answers what it has logged so far. */
export function expectLoggedErrors(): string[] {
  expected = true;
  return lines;
}

const log = console.error;

beforeEach(() => {
  expected = false;
  lines = [];
  console.error = (...parts: unknown[]) => void lines.push(parts.join(" "));
});

afterEach(() => {
  console.error = log;
  if (!expected) expect(lines, "unexpected console.error").toEqual([]);
});

afterAll(async () => {
  const queries = (await cachedQueries()).filter(({ request }) => !request.startsWith(deliberate));
  expect(uncacheable(queries), "queries through ctx.db that Hyperdrive would not cache").toEqual([]);
  const { leak, findings } = await shadowFindings();
  expect(leak && findings, "answers that the cache gave to the wrong caller").toBe(0);
});
