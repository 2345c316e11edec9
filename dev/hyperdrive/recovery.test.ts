import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startPostgres } from "../postgres.ts";
import { createPostgresOrigin, startHyperdrive } from "./index.ts";
import { errorOf, q, RawClient, rowsOf, typesOf } from "./testing/raw-client.ts";
import { eventually, openSetting, type Setting, sqlState } from "./testing/setting.ts";

let setting: Setting;
let superuser: pg.Client;

beforeAll(async () => {
  setting = await openSetting("postgres");
  superuser = new pg.Client({ connectionString: setting.url });
  await superuser.connect();
});
afterEach(() => setting.tidy());
afterAll(async () => {
  await superuser.end();
  await setting.close();
});

const pid = async (client: RawClient) => Number(rowsOf(await client.ask([q("select pg_backend_pid()")]))[0]);
const kill = (id: number) => superuser.query("select pg_terminate_backend($1)", [id]);
const running = async (text: string) =>
  (await superuser.query("select 1 from pg_stat_activity where state = 'active' and query = $1", [text])).rowCount ===
  1;

describe("a killed backend", () => {
  it("ends the client whose transaction it held, with the origin's own error", async () => {
    const { ports } = await setting.start({ poolSize: 1 });
    const client = await RawClient.open(ports.direct);
    await client.ask([q("begin")]);
    await kill(await pid(client));
    expect(errorOf(await client.ended())).toMatchObject({ S: "FATAL", C: "57P01" });
    const next = await RawClient.open(ports.direct);
    expect(rowsOf(await next.ask([q("select 'back'")]))).toEqual(["back"]);
  });

  it("ends the client whose statement it ran", async () => {
    const { ports } = await setting.start({ poolSize: 1 });
    const client = await RawClient.open(ports.direct);
    client.send(q("select pg_sleep(600)"));
    await eventually(() => running("select pg_sleep(600)"));
    await superuser.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where query = 'select pg_sleep(600)'",
    );
    expect(errorOf(await client.ended())).toMatchObject({ C: "57P01" });
  });

  it("goes unnoticed when it was idle", async () => {
    const { ports } = await setting.start({ poolSize: 1 });
    const client = await RawClient.open(ports.direct);
    const before = await pid(client);
    await kill(before);
    await eventually(
      async () => (await superuser.query("select 1 from pg_stat_activity where pid = $1", [before])).rowCount === 0,
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await pid(client)).not.toBe(before);
  });
});

describe("a bound", () => {
  it("cancels a statement after statementMs, and the client goes on", async () => {
    const { ports } = await setting.start({ statementMs: 200 });
    const client = await RawClient.open(ports.direct);
    const answer = await client.ask([q("select pg_sleep(600)")]);
    expect(typesOf(answer)).toBe("TEZ");
    expect(errorOf(answer)).toMatchObject({ C: "57014" });
    expect(rowsOf(await client.ask([q("select 'on'")]))).toEqual(["on"]);
  });

  it("does not hold for the origin door", async () => {
    const { ports } = await setting.start({ statementMs: 100 });
    const client = await RawClient.open(ports.origin);
    expect(typesOf(await client.ask([q("select pg_sleep(1)")]))).toBe("TDCZ");
  });

  it("is what a client sets by CancelRequest", async () => {
    const { ports } = await setting.start({ poolSize: 1 });
    const client = await RawClient.open(ports.direct);
    client.send(q("select pg_sleep(601)"));
    await eventually(() => running("select pg_sleep(601)"));
    const canceller = new RawClient(ports.direct);
    const request = Buffer.alloc(16);
    request.writeInt32BE(16, 0);
    request.writeInt32BE(80877102, 4);
    request.writeInt32BE(client.processId, 8);
    request.writeInt32BE(client.secret, 12);
    canceller.send(request);
    expect(errorOf(await client.until("Z"))).toMatchObject({ C: "57014" });
    client.messages.length = 0;
    expect(rowsOf(await client.ask([q("select 'next'")]))).toEqual(["next"]);
  });

  it("is set on idle connections, too", async () => {
    const { ports } = await setting.start({ idleMs: 100 });
    const client = await RawClient.open(ports.direct);
    const before = await pid(client);
    await eventually(
      async () => (await superuser.query("select 1 from pg_stat_activity where pid = $1", [before])).rowCount === 0,
    );
    expect(await pid(client)).not.toBe(before);
  });
});

describe("an origin that is away", () => {
  it("is reported as Hyperdrive does, and found again when it returns", async () => {
    const first = await startPostgres();
    const port = Number(new URL(first.url).port);
    const origin = createPostgresOrigin(first.ownerUrl);
    const hyperdrive = await startHyperdrive({ origin });
    const open = () => RawClient.open(hyperdrive.ports.origin);
    const before = await open();
    await before.ask([q("begin")]);
    const idle = await RawClient.open(hyperdrive.ports.direct, "fairlead_owner");
    await idle.ask([q("select 1")]);
    await first.stop();
    expect(["57P01", "08006"]).toContain(errorOf(await before.ended())?.C);
    const during = await open();
    during.send(q("select 1"));
    const refused = { S: "FATAL", C: "58000", M: "Server connection attempt failed: connection_refused" };
    expect(errorOf(await during.ended())).toMatchObject(refused);
    const second = await startPostgres({ port });
    expect(rowsOf(await (await open()).ask([q("select 'back'")]))).toEqual(["back"]);
    expect(rowsOf(await idle.ask([q("select 'still here'")]))).toEqual(["still here"]);
    await hyperdrive.close();
    await origin.close();
    await second.stop();
  });

  it("passes on why the origin refuses a user", async () => {
    const hyperdrive = await setting.start();
    expect(
      await sqlState((await setting.connect(hyperdrive.connectionString("direct", "nobody"))).query("select 1")),
    ).toBe("28P01");
  });
});

describe("the origin door", () => {
  it("gives a tool a session of its own, with all that a session can do", async () => {
    const hyperdrive = await setting.start();
    const url = hyperdrive.connectionString("origin", "whoever");
    const tool = await setting.connect(url);
    const heard: string[] = [];
    tool.on("notification", ({ payload }) => heard.push(payload ?? ""));
    await tool.query("listen news");
    await tool.query("set work_mem to '1234kB'");
    await tool.query("prepare p as select 'prepared' as a");
    await tool.query("create temporary table own (a int)");
    await tool.query("select pg_advisory_lock(1)");
    const other = await setting.connect(url);
    await other.query("notify news, 'hello'");
    const { rows } = await tool.query("select current_setting('work_mem') as mem, session_user as who");
    expect(rows[0]).toEqual({ mem: "1234kB", who: "fairlead_owner" });
    expect((await tool.query("execute p")).rows).toEqual([{ a: "prepared" }]);
    expect((await tool.query("select * from own")).rows).toEqual([]);
    await tool.query({ name: "mine", text: "select 1 as one" });
    await tool.query("deallocate mine");
    await tool.query("discard all");
    await eventually(() => heard.length === 1);
  });
});
