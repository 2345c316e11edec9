import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { KINDS, useSettings } from "./testing/setting.ts";

const run = promisify(execFile);
const hasPgbench = spawnSync("pgbench", ["--version"]).status === 0;
const settings = useSettings();

describe.each(KINDS)("pgbench on %s", (kind) => {
  it.runIf(hasPgbench).each(["simple", "extended", "prepared"])("-M %s loses no transaction", async (mode) => {
    const hyperdrive = await settings[kind].start();
    const owner = hyperdrive.connectionString("origin", "owner");
    await run("pgbench", ["-i", "-q", "-I", "dtGp", owner]);
    const client = await settings[kind].connect(owner);
    await client.query("grant all on pgbench_accounts, pgbench_branches, pgbench_tellers, pgbench_history to app");
    const args = ["-n", "-M", mode, "-c", "4", "-t", "25", hyperdrive.connectionString("direct", "app")];
    const { stdout } = await run("pgbench", args);
    expect(stdout).toContain("transactions actually processed: 100/100");
    const { rows } = await client.query(`select (select count(*)::int from pgbench_history) as done,
      (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history) as sums`);
    expect(rows).toEqual([{ done: 100, sums: true }]);
  });
});
