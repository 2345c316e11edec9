import { spawn } from "node:child_process";
import type pg from "pg";
import postgres from "postgres";
import { describe, expect, it } from "vitest";
import { hasPsql, KINDS, sqlState, useSettings } from "./testing/setting.ts";

const settings = useSettings();

function psql(url: string, input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("psql", [url, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=0"], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.stderr.on("data", (chunk) => {
      output += chunk;
    });
    child.on("error", reject);
    child.on("close", () => resolve(output));
    child.stdin.end(input);
  });
}

describe.each(KINDS)("node-postgres on %s", (kind) => {
  it.each([false, true])("works as on a plain connection (pipeline: %s)", async (pipeline) => {
    const hyperdrive = await settings[kind].start();
    const config = { pipeline } as pg.ClientConfig;
    const client = await settings[kind].connect(hyperdrive.connectionString("direct", "app"), config);
    await client.query("create temporary table gone (a int)");
    expect(await sqlState(client.query("insert into gone values (1)"))).toBe("42P01");
    const answers = await Promise.allSettled([
      client.query("select $1::jsonb as json, $2::timestamptz as at", [{ a: [1] }, new Date(0)]),
      client.query("select 1/0"),
      client.query({ name: "n", text: "select $1::int[] as list", values: [[1, 2]] }),
      client.query({ text: "select 1 as a, 2 as b", rowMode: "array" }),
      client.query("select 1; select 2"),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
      "fulfilled",
    ]);
    const [json, , list] = answers.map((answer) => (answer.status === "fulfilled" ? answer.value : null));
    expect(json?.rows).toEqual([{ json: { a: [1] }, at: new Date(0) }]);
    expect(list?.rows).toEqual([{ list: [1, 2] }]);
  });

  it("takes one flight for a transaction it pipelines", async () => {
    const hyperdrive = await settings[kind].start();
    const config = { pipeline: true, application_name: "one flight" } as pg.ClientConfig;
    const client = await settings[kind].connect(hyperdrive.connectionString("direct", "app"), config);
    await Promise.all([
      client.query("begin read only"),
      client.query("select set_config('app.user', $1, true)", ["me"]),
      client.query("select current_setting('app.user')"),
      client.query("commit"),
    ]);
    const { flights, originFlights } = hyperdrive.stats.perRequest("one flight").direct;
    expect({ flights, originFlights }).toEqual({ flights: 1, originFlights: 1 });
  });
});

describe.each(KINDS)("postgres.js on %s", (kind) => {
  it.each([false, true])("works as on a plain connection (prepare: %s)", async (prepare) => {
    const hyperdrive = await settings[kind].start();
    const sql = postgres(hyperdrive.connectionString("direct", "app"), { prepare, max: 4, onnotice: () => {} });
    await sql`create table if not exists thing (id int, tags text[], data jsonb)`;
    await sql`truncate thing`;
    await sql.begin(async (tx) => {
      await tx`insert into thing values (1, ${["a", "b"]}, ${tx.json({ deep: true })})`;
      await tx
        .savepoint(async (inner) => {
          await inner`insert into thing values (2, null, null)`;
          throw new Error("back");
        })
        .catch(() => {});
    });
    expect([...(await sql`select * from thing`)]).toEqual([{ id: 1, tags: ["a", "b"], data: { deep: true } }]);
    const seen: number[] = [];
    await sql`select generate_series(1, 25) as n`.cursor(10, (rows) => void seen.push(...rows.map(({ n }) => n)));
    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => n + 1));
    await sql`drop table thing`;
    await sql.end();
  });

  it("restores and exports by its COPY streams", async () => {
    const hyperdrive = await settings[kind].start();
    const sql = postgres(hyperdrive.connectionString("origin", "tool"), { max: 1, onnotice: () => {} });
    await sql`create table bulk (id int, words text)`;
    const rows = Array.from({ length: 20_000 }, (_, id) => `${id}\twords of ${id}\n`);
    await sql.begin(async (tx) => {
      const writable = await tx`copy bulk from stdin`.writable();
      await new Promise<void>((resolve, reject) => {
        writable.on("error", reject);
        for (let at = 0; at < rows.length; at += 1000) writable.write(rows.slice(at, at + 1000).join(""));
        writable.end(resolve);
      });
    });
    let exported = "";
    for await (const chunk of await sql`copy (select * from bulk order by id) to stdout`.readable()) exported += chunk;
    expect(exported).toBe(rows.join(""));
    await sql`drop table bulk`;
    await sql.end();
  });
});

describe.each(KINDS)("psql on %s", (kind) => {
  const test = hasPsql ? it : it.skip;
  const reason = hasPsql ? "" : " (skipped: there is no psql on this machine)";

  test(`runs scripts through the direct door${reason}`, async () => {
    const hyperdrive = await settings[kind].start({ password: "sesame" });
    const url = hyperdrive.connectionString("direct", "app");
    const script = "select 'a' || 'b';\nselect * from missing;\nbegin;\nselect 1/0;\ncommit;\n\\d\nselect 'end';\n";
    const output = await psql(url, script);
    expect(output).toContain("ab\n");
    expect(output).toContain('relation "missing" does not exist');
    expect(output.trimEnd().endsWith("end")).toBe(true);
  });

  test(`restores a dump through the origin door${reason}`, async () => {
    const hyperdrive = await settings[kind].start();
    const dump = `
      set client_min_messages = warning;
      select pg_catalog.set_config('search_path', '', false);
      create schema dumped;
      create table dumped.t (a int, b text);
      copy dumped.t (a, b) from stdin;
1\tone
2\t\\N
\\.
      select count(*) from dumped.t;
      select '[' || current_setting('search_path') || ']';
      set search_path to dumped;
      select b from t where a = 1;
      prepare q as select a from dumped.t order by a desc limit 1;
      drop schema dumped cascade;
    `;
    const output = await psql(hyperdrive.connectionString("origin", "x"), dump);
    expect(
      output
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== ""),
    ).toEqual(["2", "[]", "one"]);
  });
});
