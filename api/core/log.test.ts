import { expect, test } from "vitest";
import { expectLoggedErrors } from "../test/setup.ts";
import { describeError, logLine } from "./log.ts";

test("secrets are redacted by field and by shape, parameters are left out", () => {
  const lines = expectLoggedErrors();
  const cause = Object.assign(new Error("at postgres://app:hunter2@db/x with Bearer abc.def, key fl_live_abc123"), {
    code: "08006",
  });
  const error = new Error("Failed query: select $1\nparams: my-secret", { cause });
  logLine("error", "failed", {
    error: describeError(error),
    headers: { cookie: "session=1", authorization: "Bearer x" },
    password: "p",
    list: [{ token: "t" }],
  });
  const line = JSON.parse(lines[0] ?? "{}");
  expect(lines[0]).not.toMatch(/hunter2|abc\.def|my-secret|session=1/);
  expect(line).toMatchObject({
    level: "error",
    message: "failed",
    password: "[redacted]",
    list: [{ token: "[redacted]" }],
  });
  expect(line.error.chain).toMatchObject([
    { message: "Failed query: select $1" },
    { message: "at postgres://app:[redacted]@db/x with Bearer [redacted], key fl_live_[redacted]", code: "08006" },
  ]);
});
