import { afterEach, beforeEach, expect } from "vitest";

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
