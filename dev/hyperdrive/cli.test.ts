import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import pg from "pg";
import { expect, it } from "vitest";
import { freePort } from "./testing/free-port.ts";
import { useSettings } from "./testing/setting.ts";

const settings = useSettings();
const program = `${import.meta.dirname}/cli.ts`;

async function stop(child: ChildProcess): Promise<number | null> {
  child.kill("SIGTERM");
  const [code] = await once(child, "exit");
  return code;
}

it("stands in front of any Postgres, by itself", async () => {
  const [cached, direct] = [await freePort(), await freePort()];
  const args = ["--origin", settings.postgres.url, "--cached-port", `${cached}`, "--direct-port", `${direct}`];
  const child = spawn(process.execPath, [program, ...args, "--control-port", "0", "--max-age", "1"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (line.startsWith("control")) break;
  }
  expect(lines[0]).toBe(`cached   127.0.0.1:${cached}`);
  const url = new URL(settings.postgres.url);
  url.host = `127.0.0.1:${cached}`;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  expect((await client.query("select $1::int as n", [7])).rows).toEqual([{ n: 7 }]);
  await client.end();
  const response = await fetch(`${lines.at(-1)?.split(/\s+/)[1]}/stats`);
  expect(await response.json()).toMatchObject({ statuses: { miss: 1 } });
  expect(await stop(child)).toBe(0);
});

it.each([
  [[], /^Which database\?/],
  [["--origin", "mysql://h/d"], /must begin with postgres:\/\//],
  [["--origin", "postgres://h/d?sslmode=maybe"], /sslmode must be one of disable, .*, not "maybe"/],
  [["--origin", "postgres://u:p#w@h/d"], /cannot be read: .*%xx/],
  [["--origin", "postgres://h/d", "--host", "0.0.0.0"], /^Whoever reaches 0\.0\.0\.0 .* --password/],
  [["--origin", "postgres://h/d", "--profile", "lax"], /^--profile takes paranoid or strict-docs/],
  [["--origin", "postgres://h/d", "--max-age", "3601", "--control-port", "0"], /^max_age must be between 0 and 1 hour/],
  [["--origin", "postgres://h/d", "--cached-port", "many"], /^--cached-port takes a number/],
])("refuses %j in one line", (args, line) => {
  const { status, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
  expect([status, stderr.trim().split("\n").length]).toEqual([1, 1]);
  expect(stderr).toMatch(line);
});

it("explains itself", () => {
  const { status, stdout } = spawnSync(process.execPath, [program, "--help"], { encoding: "utf8" });
  expect(status).toBe(0);
  for (const option of ["--origin", "--cached-port", "--profile", "--shadow", "--edge-origin-ms"]) {
    expect(stdout).toContain(option);
  }
});
