import pg from "pg";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Hyperdrive } from "./index.ts";
import { bind, errorOf, execute, parse, RawClient, rowsOf, sync } from "./testing/raw-client.ts";
import { KINDS, openSetting, type Setting } from "./testing/setting.ts";

const CLIENTS = 200;
const ROUNDS = 5;

/** Each client asks for what only it would ask, in one of five ways, and leaves session state behind where it can. */
type Round = (url: string, id: number) => Promise<{ wrong: string[] }>;

const marks = "current_setting('app.mark', true) as mark, current_user as who, current_setting('search_path') as path";

function judge(
  id: number,
  rows: { n: number; mark: string | null; who: string; path: string }[],
  path: string,
): string[] {
  const wrong: string[] = [];
  if (rows.length !== 1 || rows[0]?.n !== id) wrong.push(`client ${id} got ${JSON.stringify(rows)}`);
  if (rows[0]?.mark) wrong.push(`client ${id} saw the mark ${rows[0].mark}`);
  if (rows[0]?.who !== "app") wrong.push(`client ${id} was ${rows[0]?.who}`);
  if (rows[0]?.path !== path) wrong.push(`client ${id} had search_path ${rows[0]?.path}`);
  return wrong;
}

async function withPg(url: string, config: pg.ClientConfig, work: (client: pg.Client) => Promise<void>) {
  const client = new pg.Client({ connectionString: url, ...config });
  client.on("error", () => {});
  await client.connect();
  await work(client);
  await client.end();
}

describe.each(KINDS)("200 clients at once on %s", (kind) => {
  let setting: Setting;
  let hyperdrive: Hyperdrive;
  let path = "";

  beforeAll(async () => {
    setting = await openSetting(kind);
    hyperdrive = await setting.start({ waitMs: 50_000 });
    const admin = await setting.connect(hyperdrive.connectionString("direct", "app"));
    path = (await admin.query("show search_path")).rows[0].search_path;
    await admin.query("create table seen (id int, marked text)");
  });

  afterAll(() => setting.close());

  const dirty = (id: number) =>
    `select set_config('app.mark', 'client ${id}', false), set_config('search_path', 'nowhere', false)`;

  const rounds: Record<string, Round> = {
    async "pg, unnamed"(url, id) {
      const wrong: string[] = [];
      await withPg(url, {}, async (client) => {
        for (let round = 0; round < ROUNDS; round++) {
          wrong.push(...judge(id, (await client.query(`select $1::int as n, ${marks}`, [id])).rows, path));
          await client.query(dirty(id));
        }
      });
      return { wrong };
    },
    async "pg, one name for different statements"(url, id) {
      const wrong: string[] = [];
      await withPg(url, {}, async (client) => {
        for (let round = 0; round < ROUNDS; round++) {
          const { rows } = await client.query({
            name: "same",
            text: `select $1::int + ${id} - ${id} as n, ${marks}`,
            values: [id],
          });
          wrong.push(...judge(id, rows, path));
          await client.query("set role none; set application_name to 'dirt'");
        }
      });
      return { wrong };
    },
    async "pg, pipelined transaction"(url, id) {
      const wrong: string[] = [];
      await withPg(url, { pipeline: true } as pg.ClientConfig, async (client) => {
        for (let round = 0; round < ROUNDS; round++) {
          const answers = await Promise.all([
            client.query("begin"),
            client.query("select set_config('app.mark', $1, true)", [`in ${id}`]),
            client.query("select $1::int as n, current_setting('app.mark') as mark", [id]),
            client.query("insert into seen values ($1, current_setting('app.mark'))", [id]),
            client.query("commit"),
            client.query(`select $1::int as n, ${marks}`, [id]),
          ]);
          const inside = answers[2].rows[0];
          if (inside.n !== id || inside.mark !== `in ${id}`)
            wrong.push(`client ${id} had ${JSON.stringify(inside)} inside`);
          wrong.push(...judge(id, answers[5].rows, path));
        }
      });
      return { wrong };
    },
    async "postgres.js, prepared and not"(url, id) {
      const wrong: string[] = [];
      const sql = postgres(url, { max: 1, prepare: id % 2 === 0, fetch_types: false, onnotice: () => {} });
      for (let round = 0; round < ROUNDS; round++) {
        const asked = Array.from({ length: 3 }, () => sql`select ${id}::int as n, ${sql.unsafe(marks)}`);
        for (const rows of await Promise.all(asked)) wrong.push(...judge(id, [...rows] as never, path));
        await sql.unsafe(`set app.mark to 'client ${id}'`);
      }
      await sql.end();
      return { wrong };
    },
    async "raw, several flights in one write"(url, id) {
      const wrong: string[] = [];
      const client = await RawClient.open(Number(new URL(url).port));
      for (let round = 0; round < ROUNDS; round++) {
        const flight = (n: number) => [parse("", `select ${n}::text`), bind(""), execute(), sync];
        const answer = await client.ask(
          [0, 1, 2, 3].flatMap((n) => flight(id * 10 + n)),
          4,
        );
        const expected = [0, 1, 2, 3].map((n) => String(id * 10 + n));
        if (rowsOf(answer).join() !== expected.join())
          wrong.push(`client ${id} got ${rowsOf(answer)} ${errorOf(answer)?.M}`);
      }
      client.socket.end();
      return { wrong };
    },
  };

  it("gives each its own rows, and nothing of another's settings", async () => {
    const url = hyperdrive.connectionString("direct", "app");
    const ways = Object.values(rounds);
    const clients = Array.from({ length: CLIENTS }, async (_, id) => ways[id % ways.length]?.(url, id + 1));
    const results = await Promise.all(clients);
    expect(results.flatMap((result) => result?.wrong ?? ["no result"])).toEqual([]);
    const admin = await setting.connect(hyperdrive.connectionString("direct", "app"));
    const { rows } = await admin.query(
      "select count(*)::int as all, count(*) filter (where marked = 'in ' || id)::int as own from seen",
    );
    expect(rows[0]).toEqual({ all: (CLIENTS / ways.length) * ROUNDS, own: (CLIENTS / ways.length) * ROUNDS });
  });

  it("leaves no prepared statement under a client's name", async () => {
    const client = await setting.connect(hyperdrive.connectionString("direct", "app"));
    const { rows } = await client.query("select name from pg_prepared_statements where name not like 'fl_%'");
    expect(rows).toEqual([]);
  });
});
