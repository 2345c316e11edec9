import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, run, runToEnd } from "@repo/dev/test/programs";
import { asked, startTlsServer, type TlsServer } from "@repo/dev/test/servers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrateDatabase } from "../scripts/migrate.ts";
import { readDefinitions } from "./catalogue.ts";
import { copyOfDb } from "./copy.ts";

let server: TlsServer;
/** Migrated and seeded by the first test. */
let staging: string;
const copy = copyOfDb();
const folder = mkdtempSync(join(tmpdir(), "fairlead-tls-"));

beforeAll(async () => {
  server = await startTlsServer();
  staging = await server.newDatabase();
}, 60_000);
afterAll(async () => {
  await server.stop();
  for (const made of [folder, copy.folder]) rmSync(made, { recursive: true });
});

const at = (url: string, ENVIRONMENT: string) => ({ DATABASE_URL: url, ENVIRONMENT });
const without = (url: string) => url.replace("?sslmode=require", "");

test("the chain applies over TLS, by an owner who is no superuser, to two databases of one cluster", async () => {
  const other = await server.newDatabase();
  await expect(asked(without(staging), (sql) => sql`select 1`)).rejects.toThrow(/no encryption/);
  const { code, output } = await copy.run("migrate", [], at(staging, "staging"));
  expect(output).toMatch(/^staging: 127\.0\.0\.1:\d+\/secure_\w+\n {2}20261121055628_roles\n/);
  expect(output).toMatch(/\napplied \d+\n$/);
  expect(code).toBe(0);
  const owner = (sql: Parameters<Parameters<typeof asked>[1]>[0]) =>
    sql`select rolsuper, rolcreaterole, rolcreatedb, rolbypassrls from pg_roles where rolname = current_user`;
  expect(await asked(staging, owner)).toEqual([
    { rolsuper: false, rolcreaterole: true, rolcreatedb: true, rolbypassrls: true },
  ]);
  expect((await copy.run("migrate", [], at(staging, "staging"))).output).toMatch(/\nup to date\n$/);
  expect((await copy.run("migrate", ["--yes"], at(other, "prod"))).code).toBe(0);
  expect(await readDefinitions(other)).toEqual(await readDefinitions(staging));
});

test("seed, check and lint work over TLS", async () => {
  const seeded = await copy.run("seed", ["--scale", "2"], at(staging, "staging"));
  expect(seeded.output).toMatch(/holds the demo data and a crowd of scale 2\n$/);
  const checked = await copy.run("check", [], at(staging, "staging"));
  expect(checked).toMatchObject({
    code: 0,
    output: expect.stringMatching(/the migrations say what the schema says\n$/),
  });
  const linted = await copy.run("lint", [], at(staging, "staging"));
  expect(linted).toEqual({ code: 0, output: "staging: migrations and catalogue are clean\n" });
});

test("an export travels over TLS to another database of the cluster, every row and right of it", async () => {
  const exported = await copy.run("export", [], at(staging, "staging"));
  expect(exported.output).toMatch(/\nwrote db\/backups\/fairlead-staging-\w+\.sql: \d+ tables, [\d,]+ rows\n$/);
  const [file = ""] = readdirSync(join(copy.folder, "db/backups"));
  const prod = await server.newDatabase();
  const restored = await copy.run("restore", [file, "--yes"], at(prod, "prod"));
  expect(restored.output).toMatch(/\nrestored the export of staging from .*: \d+ tables, every row as it was\n$/);
  expect(await readDefinitions(prod)).toEqual(await readDefinitions(staging));
  expect((await copy.run("check", [], at(prod, "prod"))).code).toBe(0);
});

test("db:roles gives logins that open the database over TLS", async () => {
  const { code, output } = await copy.run("roles", ["--yes"], at(staging, "staging"));
  expect(code).toBe(0);
  const addresses = [...output.matchAll(/--connection-string '([^']+)'/g)].map(([, address]) => `${address}`);
  expect(addresses).toHaveLength(2);
  const users = addresses.map((address) =>
    asked(`${address}?sslmode=require`, async (sql) => (await sql`select current_user as name`)[0]?.name),
  );
  expect(await Promise.all(users)).toEqual(["app_cached", "app_direct"]);
});

test("studio reads and writes over TLS", async () => {
  const port = await freePort();
  const studio = run(["db/scripts/studio.ts", "--port", String(port)], at(staging, "staging"));
  try {
    await studio.says(/up and running/);
    const sql = `update "user" set name = 'By studio' where email = 'demo@example.com' returning name`;
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: "https://local.drizzle.studio" },
      body: JSON.stringify({ type: "proxy", data: { sql, params: [], method: "values" } }),
    });
    expect(await response.text()).toBe('[{"name":"By studio"}]');
    expect(studio.output()).not.toMatch(/warning: security|error/i);
  } finally {
    studio.child.kill("SIGINT");
    await studio.ended;
  }
});

test("push and reset, for a local database that speaks TLS alone", async () => {
  const local = await server.newDatabase();
  const pushed = await copy.run("push", [], at(local, "dev"));
  expect(pushed.output).toMatch(/\napplied \d+ migrations first\nnothing to push\n$/);
  const reset = await copy.run("reset", ["--yes"], at(local, "dev"));
  expect(reset.output).toMatch(/ is new: \d+ migrations and the demo data\n$/);
  expect(await migrateDatabase(local)).toBe(0);
});

test("an address that Neon gives is verified, and a certificate that nobody trusts is refused in one line", async () => {
  const neons = `${without(staging).replace("127.0.0.1", "localhost")}?sslmode=require&channel_binding=require`;
  const refused = await runToEnd(["db/scripts/check.ts"], at(neons, "staging"));
  expect(refused.output).toBe(
    "The database's certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT): NODE_EXTRA_CA_CERTS names the file of an authority of your own.\n",
  );
  expect(refused.code).toBe(1);
  const NODE_EXTRA_CA_CERTS = join(folder, "server.crt");
  writeFileSync(NODE_EXTRA_CA_CERTS, server.certificate);
  const trusting = { ...at(neons, "staging"), NODE_EXTRA_CA_CERTS };
  expect(await runToEnd(["db/scripts/migrate.ts"], trusting)).toMatchObject({ code: 0 });
  expect(await copy.run("export", ["--schema-only"], trusting)).toMatchObject({ code: 0 });
});

test("without TLS the address is what is wrong, not the password", async () => {
  const { code, output } = await runToEnd(["db/scripts/check.ts"], at(without(staging), "staging"));
  expect(output).toBe("The database takes encrypted connections alone: end DATABASE_URL with ?sslmode=require.\n");
  expect(code).toBe(1);
});
