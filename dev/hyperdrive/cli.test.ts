import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { createInterface } from "node:readline";
import pg from "pg";
import { expect, it } from "vitest";
import { newFolder } from "../test/programs.ts";
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
  [["--origin", "mysql://h/d"], /^--origin must begin with postgres:\/\/ or pglite:/],
  [["--origin", "postgres://h:0/d"], /port must be a number from 1 to 65535, not "0"/],
  [["--origin", "postgres://h/d?sslmode=maybe"], /sslmode must be one of disable, .*, not "maybe"/],
  [["--origin", "postgres://u:p#w@h/d"], /cannot be read: .*%xx/],
  [["--origin", "postgres://h/d", "--host", "0.0.0.0"], /^Whoever reaches 0\.0\.0\.0 .* --password/],
  [["--origin", "postgres://h/d", "--profile", "lax"], /^--profile takes paranoid or strict-docs/],
  [["--origin", "postgres://h/d", "--max-age", "3601", "--control-port", "0"], /^--max-age .* to 3600, not/],
  [
    ["--origin", "postgres://h/d", "--cached-port", "many"],
    /^--cached-port takes a whole number from 0 to 65535, not "many"/,
  ],
  [["--origin", "postgres://h/d", "--cached-port", "99999"], /^--cached-port takes a whole number from 0 to 65535/],
  [["--origin", "postgres://h/d", "--jitter", "5"], /^--jitter takes a number from 0 to 1, not "5"/],
  [["--origin", "postgres://h/d", "--jitter", "-1"], /'--jitter=-XYZ'.*--help/],
  [["--origin", "postgres://h/d", "--jitter=-1"], /^--jitter takes a number from 0 to 1, not "-1"/],
  [["--origin", "postgres://h/d", "--pool-size", "0"], /^--pool-size takes a whole number from 1 /],
  [["--origin", "postgres://h/d", "--locations", "1.5"], /^--locations takes a whole number from 1 /],
  [["--origin", "postgres://h/d", "--edge-origin-ms", "1e10"], /^--edge-origin-ms takes a number from 0 to 60000/],
  [["--origin", "postgres://h/d", "--seed", ""], /^--seed takes a whole number/],
  [["--origin", "postgres://h/d", "--host", "0.0.0.0", "--password", ""], /^--password takes a text/],
  [["--origin", "postgres://h/d", "--host", "127.example.com"], /^Whoever reaches 127\.example\.com/],
  [
    ["--origin", `pglite:${import.meta.filename}`],
    /cli\.test\.ts is a file, no database: name another folder after pglite:\./,
  ],
  [["--origin", `pglite:${import.meta.dirname}`], /is a folder with other things, no database: name another/],
  [["--origin", "pglite:/dev/null/data"], /^\/dev\/null\/data cannot be opened \(E[A-Z]+: /],
])("refuses %j in one line", (args, line) => {
  const { status, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
  expect([status, stderr.trim().split("\n").length]).toEqual([1, 1]);
  expect(stderr).toMatch(line);
});

it("leaves a PGlite's folder to one process", async () => {
  const folder = newFolder();
  const ports = ["--cached-port", "0", "--direct-port", "0", "--control-port", "0"];
  const args = [program, "--origin", `pglite:${folder}`, ...ports];
  const first = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface(first.stdout)) if (line.startsWith("control")) break;
  const second = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 20_000 });
  const line = `${folder} is in use by process ${first.pid}: stop that one, or name another folder after pglite:.\n`;
  expect([second.status, second.stderr]).toEqual([1, line]);
  expect(await stop(first)).toBe(0);
  expect(existsSync(`${folder}.lock`)).toBe(false);
});

it.runIf(networkInterfaces().lo?.some(({ address }) => address === "::1"))(
  "writes an IPv6 address in brackets",
  async () => {
    const ports = ["cached", "direct", "control"].flatMap((door) => [`--${door}-port`, "0"]);
    const args = ["--origin", settings.postgres.url, "--host", "::1", ...ports];
    const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await once(createInterface(child.stdout), "line");
    expect(line).toMatch(/^cached {3}\[::1\]:\d+$/);
    expect(await stop(child)).toBe(0);
  },
);

it.each(["--help", "-h"])("explains itself when asked by %s", (word) => {
  const { status, stdout } = spawnSync(process.execPath, [program, word], { encoding: "utf8" });
  expect(status).toBe(0);
  for (const option of ["--origin", "--cached-port", "--profile", "--shadow", "--edge-origin-ms"]) {
    expect(stdout).toContain(option);
  }
});
