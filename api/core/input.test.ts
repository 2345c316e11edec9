import { expect, test } from "vitest";
import { nameInput, timeInput } from "./input.ts";

test("a name is trimmed, and has 1 to 100 characters", () => {
  expect(nameInput.parse("  Zoë’s crew\n")).toBe("Zoë’s crew");
  expect(nameInput.parse(` ${"x".repeat(100)} `)).toHaveLength(100);
  for (const bad of ["", " \t ", "x".repeat(101), 7, null])
    expect(nameInput.safeParse(bad).success, `${bad}`).toBe(false);
});

test.each(["\0", "\n", "\r", "\t", "\x1b", "\x7f", "\x85"])("a name holds no control character: %j", (character) => {
  const { error } = nameInput.safeParse(`a${character}b`);
  expect(error?.issues.map(({ message }) => message)).toEqual(["no control characters"]);
});

test("a time comes as a Date or as its ISO text, and as nothing else", () => {
  const time = new Date("2026-01-31T12:00:00Z");
  for (const good of [time, time.toISOString(), "2026-01-31T13:00:00+01:00"]) {
    expect(timeInput.parse(good)).toEqual(time);
  }
  for (const bad of [null, 0, time.getTime(), "", "soon", "2026-01-31", "2026-13-31T12:00:00Z", new Date("x")]) {
    expect(timeInput.safeParse(bad).success, `${bad}`).toBe(false);
  }
});
