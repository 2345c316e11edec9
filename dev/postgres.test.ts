import { expect, test } from "vitest";
import { runToEnd } from "./test/programs.ts";

test("a program that ran a Postgres ends with the exit code that it has set", async () => {
  const program = `
    const { startPostgres } = await import("./dev/postgres.ts");
    const server = await startPostgres();
    await server.stop();
    process.exitCode = 7;`;
  expect(await runToEnd(["--input-type=module", "-e", program])).toEqual({ code: 7, output: "" });
});
