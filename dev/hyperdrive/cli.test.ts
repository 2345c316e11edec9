import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { createInterface } from "node:readline";
import pg from "pg";
import { expect, it } from "vitest";
import { newFolder } from "../test/programs.ts";
import { freePort } from "./testing/free-port.ts";
import { eventually, sqlState, useSettings } from "./testing/setting.ts";

const settings = useSettings();
const program = `${import.meta.dirname}/cli.ts`;

const anyPorts = ["cached", "direct", "control"].flatMap((door) => [`--${door}-port`, "0"]);

/** Runs the command until it has said where it is; `at`: by label. */
async function start(...args: string[]) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const at: Record<string, string> = {};
  for await (const line of createInterface(child.stdout)) {
    const [label = "", ...rest] = line.split(/\s+/);
    at[label] = rest.join(" ");
    if (label === "try") break;
  }
  const connect = async (door: string, user: string, options = "") => {
    const client = new pg.Client(`postgres://${user}:secret@${at[door]}/postgres?options=${options}`);
    client.on("error", () => {});
    await client.connect();
    return client;
  };
  return { child, at, connect, errors: () => errors };
}

async function stop(child: ChildProcess): Promise<number | null> {
  child.kill("SIGTERM");
  const [code] = await once(child, "exit");
  return code;
}

it("stands in front of any Postgres, by itself", async () => {
  const [cached, direct] = [await freePort(), await freePort()];
  const ports = ["--cached-port", `${cached}`, "--direct-port", `${direct}`, "--control-port", "0"];
  const { child, at, connect, errors } = await start("--origin", settings.postgres.url, ...ports, "--max-age", "1");
  const { username, pathname } = new URL(settings.postgres.url);
  expect(at).toMatchObject({
    cached: `127.0.0.1:${cached}`,
    direct: `127.0.0.1:${direct}`,
    try: `psql postgres://${username}@127.0.0.1:${cached}${pathname}`,
  });
  const client = await connect("cached", username);
  expect((await client.query("select $1::int as n", [7])).rows).toEqual([{ n: 7 }]);
  await client.end();
  expect(await (await fetch(`${at.control}/stats`)).json()).toMatchObject({ statuses: { miss: 1 } });
  expect([await stop(child), errors()]).toEqual([0, ""]);
});

it("logs in for each user with the password that it was told", async () => {
  const { child, connect } = await start(
    "--origin",
    settings.postgres.url,
    ...anyPorts,
    "--origin-password",
    "app=app-secret",
  );
  const [app, other] = [await connect("direct", "app"), await connect("direct", "other")];
  expect((await app.query("select current_user as who")).rows).toEqual([{ who: "app" }]);
  expect(await sqlState(other.query("select 1"))).toBe("28P01");
  await app.end();
  await stop(child);
});

it("names on stderr who was given what was meant for somebody else", async () => {
  const { child, connect, errors } = await start("--origin", "pglite:", "--shadow", ...anyPorts);
  const owner = await connect("origin", "postgres");
  await owner.query("create view whose as select current_setting('app.tenant', true) as tenant");
  for (const tenant of ["a", "b"]) {
    const client = await connect("cached", "postgres", `-c%20app.tenant=${tenant}`);
    expect((await client.query("select tenant from whose")).rows).toEqual([{ tenant: "a" }]);
    await client.end();
  }
  await owner.end();
  await eventually(() => errors() !== "");
  expect(errors()).toMatch(
    /^The cache gave postgres app\.tenant=b what was meant for postgres app\.tenant=a: select tenant/,
  );
  await stop(child);
});

it("says when its origin is away", async () => {
  const { child, errors } = await start("--origin", `postgres://x:y@127.0.0.1:${await freePort()}/z`, ...anyPorts);
  await eventually(() => errors() !== "");
  expect(errors()).toBe(
    "The origin cannot be used at the moment: Server connection attempt failed: connection_refused\n",
  );
  await stop(child);
});

it("names a taken port before it makes a database", async () => {
  const folder = newFolder();
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const { port } = taken.address() as AddressInfo;
  const args = [program, "--origin", `pglite:${folder}`, ...anyPorts, "--direct-port", `${port}`];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect([status, stderr]).toEqual([
    1,
    expect.stringMatching(new RegExp(`^Port ${port} on 127.0.0.1 is taken: .*direct door`)),
  ]);
  expect(existsSync(folder)).toBe(false);
  taken.close();
});

it.each([
  [[], /^Which database\?/],
  [["--origin", "pglite://data"], /^--origin takes a PGlite's folder right behind the colon: pglite:data/],
  [["--origin", "postgres://h/d?sslmod=require"], /says "sslmod", which means nothing here: there are sslmode,/],
  [["--origin", "postgres://h/d", "--origin-password", "secret"], /^--origin-password takes <user>=<text>/],
  [["--origin", "postgres://h/d", "--shadow", "--caching-disabled"], /^--shadow compares hits .* there are none/],
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
  const args = ["--origin", `pglite:${folder}`, ...anyPorts];
  const { child } = await start(...args);
  const second = spawnSync(process.execPath, [program, ...args], { encoding: "utf8", timeout: 20_000 });
  const line = `${folder} is in use by process ${child.pid}: stop that one, or name another folder after pglite:.\n`;
  expect([second.status, second.stderr]).toEqual([1, line]);
  expect(await stop(child)).toBe(0);
  expect(existsSync(`${folder}.lock`)).toBe(false);
});

it.runIf(networkInterfaces().lo?.some(({ address }) => address === "::1"))(
  "writes an IPv6 address in brackets, and ends cleanly right after its first line",
  async () => {
    const args = ["--origin", settings.postgres.url, "--host", "::1", ...anyPorts];
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
