import { expect, test } from "vitest";
import { nameInput } from "./input.ts";

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
