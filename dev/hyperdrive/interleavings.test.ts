import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Hyperdrive } from "./index.ts";
import { bind, closeStatement, execute, type Message, parse, q, RawClient, sync } from "./testing/raw-client.ts";
import { KINDS, useSettings } from "./testing/setting.ts";

const RUNS = Number(process.env.INTERLEAVINGS ?? 1000);
const CLIENTS = 4;
const settings = useSettings();

/** Messages, and how many ReadyForQuery they earn. */
interface Step {
  frames: Buffer[];
  answers: number;
}

const flight = (...frames: Buffer[]): Step => ({ frames: [...frames, sync], answers: 1 });
const simple = (sql: string): Step => ({ frames: [q(sql)], answers: 1 });

/** What a client may do, with rows of its own: among others it must see exactly what it would see alone. */
function stepsOf(id: number): Record<string, Step> {
  return {
    begin: simple("begin"),
    commit: simple("commit"),
    rollback: simple("rollback"),
    insert: simple(`insert into ground values (${id})`),
    count: flight(parse("", `select count(*) from ground where id = ${id}`), bind(""), execute()),
    prepare: flight(parse("s", `select ${id} as own, count(*) from ground where id = ${id}`)),
    run: flight(bind("s"), execute()),
    close: flight(closeStatement("s")),
    local: simple(`set local app.mark = 'client ${id}'`),
    session: simple(`set app.mark = 'client ${id}'; select 1`),
    look: simple(
      "begin; select current_user, current_setting('role'), coalesce(current_setting('app.mark', true), '')",
    ),
    broken: simple("selec"),
    failing: flight(parse("", "select 1 / $1::int"), bind("", "0"), execute()),
    pipeline: { frames: [q("begin"), parse("", `select ${id}`), bind(""), execute(), sync, q("commit")], answers: 3 },
  };
}

const LEAVE = "leave";
const name = fc.constantFrom(...Object.keys(stepsOf(0)), LEAVE);
const scripts = fc.array(fc.array(name, { minLength: 1, maxLength: 6 }), { minLength: 2, maxLength: CLIENTS });

/** Runs one client's script; `turn` says when the next step may start. Returns all the bytes it was sent. */
async function act(
  hyperdrive: Hyperdrive,
  { id, script }: { id: number; script: string[] },
  turn: () => Promise<void>,
) {
  const steps = stepsOf(id);
  const heard: string[] = [];
  let client: RawClient | null = null;
  const leave = async () => {
    client?.socket.destroy();
    await client?.ended();
    client = null;
  };
  for (const name of script) {
    await turn();
    const step = steps[name];
    if (step === undefined) {
      await leave();
    } else {
      client ??= await RawClient.open(hyperdrive.ports.direct);
      heard.push(`${name}: ${transcript(await client.ask(step.frames, step.answers))}`);
    }
  }
  await turn();
  await leave();
  return heard;
}

/** Every byte counts, except where an error or a notice tells a line of Postgres' own source. */
function transcript(messages: Message[]): string {
  return messages
    .map(({ type, body }) => `${type} ${body.toString("latin1").replaceAll(/\0[FLR][^\0]*/g, "")}`)
    .join("|");
}

describe.each(KINDS)("clients at the same time on %s", (kind) => {
  it(`hear what they would hear alone, in ${RUNS} interleavings`, { timeout: 300_000 }, async () => {
    const hyperdrive = await settings[kind].start();
    const owner = await settings[kind].connect(hyperdrive.connectionString("origin", "owner"));
    await owner.query("create table ground (id int); grant all on ground to app");
    const alone = new Map<string, string[]>();
    const hearAlone = async (id: number, script: string[]) => {
      const key = JSON.stringify([id, script]);
      const known = alone.get(key) ?? (await act(hyperdrive, { id, script }, async () => {}));
      alone.set(key, known);
      return known;
    };
    const property = fc.asyncProperty(fc.scheduler(), scripts, async (scheduler, all) => {
      await owner.query("delete from ground");
      const expected: string[][] = [];
      for (const [id, script] of all.entries()) expected.push(await hearAlone(id, script));
      await owner.query("delete from ground");
      const turn = () => scheduler.schedule(Promise.resolve());
      const together = Promise.all(all.map((script, id) => act(hyperdrive, { id, script }, turn)));
      expect(await scheduler.waitFor(together)).toEqual(expected);
    });
    await fc.assert(property, { numRuns: RUNS, seed: 20_261_121 });
    await owner.query("drop table ground");
  });
});
