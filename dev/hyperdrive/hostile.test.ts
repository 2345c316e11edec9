import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Cacheability, PROFILES } from "./cache/cacheability.ts";
import { FunctionTable } from "./cache/volatility.ts";
import { ClientOutput } from "./client/output.ts";
import { Startup } from "./client/startup.ts";
import { createPostgresOrigin } from "./index.ts";
import { Expectations } from "./pool/expectations.ts";
import { StatementTable } from "./pool/statements.ts";
import { heldBytes } from "./testing/memory.ts";
import { bind, errorOf, execute, parse, q, RawClient, rowsOf, startupPacket, sync } from "./testing/raw-client.ts";
import { KINDS, type Kind, useSettings } from "./testing/setting.ts";
import { QueryLog } from "./watch/query-log.ts";
import { AnswerReader } from "./wire/answer-reader.ts";
import { CLIENT, frame, int32, SERVER, text } from "./wire/protocol.ts";

const settings = useSettings(async (setting) => {
  const owner = await setting.connect((await setting.start()).connectionString("origin", "owner"));
  await owner.query(
    `create role "app1" login password 'fairlead'; create role "appı" login password 'fairlead'; create role guest;
    create view who as select current_user::text as name; grant select on who to public`,
  );
});
const MEBIBYTE = 1024 * 1024;
const MANY = Buffer.alloc(MEBIBYTE);

describe.each(KINDS)("the cache on %s", (kind) => {
  const start = () => settings[kind].start({ cache: {}, poolSize: 1 });

  it.each([
    ["by the simple protocol", [q("select 'asked' as a")], q("select clock_timestamp()::text as a")],
    [
      "by the extended protocol",
      [parse("", "select 'asked' as a"), bind(""), execute(), sync],
      Buffer.concat([parse("", "select clock_timestamp()::text as a"), bind(""), execute(), sync]),
    ],
  ])("keeps no other answer for a question %s that was cancelled while it waited", async (_, question, other) => {
    const { ports } = await start();
    const [holder, first, second] = await Promise.all([1, 2, 3].map(() => RawClient.open(ports.cached)));
    if (holder === undefined || first === undefined || second === undefined) throw new Error("three clients");
    await holder.ask([q("begin")]);
    first.send(...question);
    await new Promise((resolve) => setTimeout(resolve, 50));
    new RawClient(ports.cached).send(
      Buffer.concat([int32(16), int32(80877102), int32(first.processId), int32(first.secret)]),
    );
    expect(errorOf(await first.until("Z"))).toMatchObject({ C: "57014" });
    await holder.ask([q("commit")]);
    await first.ask([other]);
    expect(rowsOf(await second.ask(question))).toEqual(["asked"]);
  });

  it("tells users apart whose names differ beyond Latin-1", async () => {
    const { ports } = await start();
    const question = [parse("", "select name from who"), bind(""), execute(), sync];
    const seen: string[] = [];
    for (const user of ["app1", "appı"]) {
      const client = await RawClient.open(ports.cached, user);
      seen.push(...rowsOf(await client.ask(question)));
    }
    expect(seen).toEqual(["app1", "appı"]);
  });

  it("takes no constant for a comment where a backslash escapes", async () => {
    const { ports } = await start();
    const client = await RawClient.open(ports.cached, "app", { options: "-c standard_conforming_strings=off" });
    const ask = async (word: string) => rowsOf(await client.ask([q(`select 'a\\' -- ${word}'`)]))[0];
    expect([await ask("one"), await ask("two")]).toEqual(["a' -- one", "a' -- two"]);
  });
});

describe.each(KINDS)("a statement that many share on %s", (kind) => {
  it.each(["deallocate all", "deallocate %name"])("survives a client that runs %s in a block", async (trick) => {
    const { ports } = await settings[kind].start({ poolSize: 1 });
    const [victim, attacker] = await Promise.all([RawClient.open(ports.direct), RawClient.open(ports.direct)]);
    await victim.ask([parse("s", "select 'fine'"), sync]);
    const names = "select name from pg_prepared_statements where name like 'fl%' limit 1";
    const [name = ""] = rowsOf(await attacker.ask([q(names)]));
    await attacker.ask([q(`do $x$ begin execute '${trick.replace("%name", name)}'; end $x$`)]);
    expect(rowsOf(await victim.ask([bind("s"), execute(), sync]))).toEqual(["fine"]);
  });
});

describe("memory", () => {
  /** Sends on and on to somebody who has hung up. */
  async function pour(client: RawClient): Promise<void> {
    for (let sent = 0; sent < 200 && !client.closed; sent++) {
      if (!client.socket.write(MANY)) {
        await Promise.race([
          new Promise((resolve) => client.socket.once("drain", resolve)),
          new Promise((resolve) => setTimeout(resolve, 200)),
        ]);
      }
    }
  }

  it.each(["its end", "a startup that failed"])("does not grow with what a client sends after %s", async (when) => {
    const { ports } = await settings.postgres.start();
    const before = heldBytes();
    const client = when === "its end" ? await RawClient.open(ports.direct) : new RawClient(ports.direct);
    client.socket.allowHalfOpen = true;
    client.send(when === "its end" ? frame(CLIENT.terminate) : Buffer.alloc(8));
    await pour(client);
    const grown = heldBytes() - before;
    client.socket.destroy();
    expect(grown).toBeLessThan(60 * MEBIBYTE);
  });

  it("does not grow with messages that the edge answers and nobody asks to be sent", async () => {
    const { ports } = await settings.postgres.start();
    const client = await RawClient.open(ports.direct);
    const closes = Buffer.concat(Array.from({ length: 100_000 }, () => frame(CLIENT.close, "Sx\0")));
    client.send(closes);
    await client.until("3", 50_000);
    client.socket.destroy();
  });

  it("does not grow with a pipeline that never pauses", () => {
    const expected = new Expectations(false);
    const before = heldBytes();
    expected.add({ kind: "bind", capture: [] });
    for (let n = 0; n < 300_000; n++) {
      expected.add({ kind: "bind", capture: [] });
      expected.shift();
    }
    expect(expected.count).toBe(1);
    expect(heldBytes() - before).toBeLessThan(8 * MEBIBYTE);
  });
});

describe("what is remembered of long texts", () => {
  const COUNT = 100;
  const texts = function* () {
    for (let n = 0; n < COUNT; n++) yield `select ${n} /* ${"x".repeat(MEBIBYTE / 2)} */`;
  };

  it.each<[string, () => Promise<(sql: string) => unknown>]>([
    [
      "the query log",
      async () => {
        const log = new QueryLog();
        const record = {
          type: "query",
          at: 0,
          request: "",
          door: "direct",
          user: "",
          status: "miss",
          reason: "",
        } as const;
        return (sql) => log.add({ ...record, sql: Buffer.from(sql).toString() });
      },
    ],
    [
      "the verdicts",
      async () => {
        const cacheability = await Cacheability.create(PROFILES.paranoid, new FunctionTable());
        return (sql) => cacheability.judge(Buffer.from(sql).toString("latin1"));
      },
    ],
    [
      "the shared statements",
      async () => {
        const table = new StatementTable();
        return (sql) => table.share("", sql, Buffer.from(`${sql}\0\0\0`));
      },
    ],
  ])("is little in %s", async (_, open) => {
    const remember = await open();
    const before = heldBytes();
    for (const sql of texts()) remember(sql);
    expect(heldBytes() - before).toBeLessThan(10 * MEBIBYTE);
    remember("select 1");
  });
});

describe("an answer in very many chunks", () => {
  it("is put together in one go", () => {
    const message = frame(SERVER.notice, Buffer.alloc(32 * MEBIBYTE, 65));
    const found: number[] = [];
    const reader = new AnswerReader({
      closed: false,
      message: (type, { from, to }) => found.push(type, to - from),
      bulk: () => {},
      malformed: () => {},
    });
    const started = performance.now();
    for (let at = 0; at < message.length; at += 16_384) reader.push(message.subarray(at, at + 16_384));
    expect(found).toEqual([SERVER.notice, message.length]);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it("is the same however it is cut", () => {
    const messages = [
      frame(SERVER.notice, Buffer.alloc(300, 1)),
      frame(SERVER.dataRow, Buffer.alloc(500, 2)),
      frame(SERVER.dataRow),
      frame(SERVER.error, Buffer.alloc(40, 3)),
      frame(SERVER.copyData, Buffer.alloc(1, 4)),
      frame(SERVER.ready, "I"),
    ];
    const bytes = Buffer.concat(messages);
    for (let size = 1; size <= bytes.length; size++) {
      const whole: Buffer[] = [];
      const keep = (part: Buffer, isStart: boolean) => {
        if (isStart) whole.push(part);
        else whole.push(Buffer.concat([whole.pop() ?? part, part]));
      };
      const reader = new AnswerReader({
        closed: false,
        message: (_, { bytes: chunk, from, to }) => keep(chunk.subarray(from, to), true),
        bulk: ({ bytes: chunk, from, to }, isStart) => keep(chunk.subarray(from, to), isStart),
        malformed: () => expect.unreachable(),
      });
      for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
      expect(whole).toEqual(messages);
    }
  });
});

describe("an origin that misbehaves at its login", () => {
  /** Answers the first bytes of each connection with these. */
  async function fake(answers: Buffer): Promise<{ server: Server; port: number }> {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.write(answers));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return { server, port: address.port };
  }

  it.each([
    ["a SCRAM challenge of another's", frame(SERVER.authentication, int32(11), Buffer.from("r=x,s=eA==,i=1"))],
    ["an authentication without its kind", frame(SERVER.authentication)],
    ["a short key", frame(SERVER.backendKey, int32(1))],
    ["a message without end", Buffer.concat([Buffer.from("R"), int32(0x7fffffff)])],
    [
      "an end without the proof that it knows the password",
      Buffer.concat([
        frame(SERVER.authentication, int32(12), Buffer.from("v=AAAA")),
        frame(SERVER.authentication, int32(0)),
        frame(SERVER.ready, "I"),
      ]),
    ],
  ])("is refused for %s", async (_, answers) => {
    const { server, port } = await fake(answers);
    const origin = createPostgresOrigin(`postgres://a:b@127.0.0.1:${port}/c`, { connectMs: 3000 });
    const outcome = await origin.open("a").then(
      () => "opened",
      (error: Error) => error.message,
    );
    server.close();
    expect(outcome).toMatch(/Server connection attempt failed: (invalid_message|server_not_authentic)/);
  });
});

describe("a client that trickles bytes", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  class TrickleSocket extends Duplex {
    override _read(): void {}
    override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
      done();
    }
    destroySoon(): void {
      this.destroy();
    }
    resetAndDestroy(): void {
      this.destroy();
    }
    /** A byte a second. */
    async trickle(seconds: number): Promise<void> {
      for (let second = 0; second < seconds && !this.destroyed; second++) {
        this.push(Buffer.of(0));
        await vi.advanceTimersByTimeAsync(1000);
      }
    }
  }

  it("has a minute for its startup, however it goes on", async () => {
    const socket = new TrickleSocket();
    new Startup(socket, { verifier: null, messageLimit: 10_000, onGreeting: () => {}, onCancel: () => {} });
    socket.push(int32(9_000));
    await socket.trickle(59);
    expect(socket.destroyed).toBe(false);
    await socket.trickle(2);
    expect(socket.destroyed).toBe(true);
  });

  it("is left ten seconds after the edge has hung up", async () => {
    const socket = new TrickleSocket({ autoDestroy: false });
    socket.resume();
    new ClientOutput(socket, null).hangUp();
    await socket.trickle(9);
    expect(socket.destroyed).toBe(false);
    await socket.trickle(2);
    expect(socket.destroyed).toBe(true);
  });
});

describe("startup as Postgres takes it", () => {
  const plain = (kind: Kind) => settings[kind].start();

  it("lets a setting of its own count more than one in `options`", async () => {
    const { ports } = await plain("postgres");
    const client = await RawClient.open(ports.direct, "app", { TimeZone: "Asia/Tokyo", options: "-c TimeZone=UTC" });
    expect(rowsOf(await client.ask([q("show timezone")]))).toEqual(["Asia/Tokyo"]);
  });

  it.each(["direct", "cached"] as const)("refuses at the %s door whom a setting fails", async (door) => {
    for (const kind of KINDS) {
      const { ports } = await settings[kind].start({ cache: {} });
      const client = await RawClient.open(ports[door], "app", { options: "-c role=guest" });
      client.send(q("select 'ran as ' || current_user"));
      const answer = await client.ended();
      expect(rowsOf(answer)).toEqual([]);
      expect(errorOf(answer)).toMatchObject({ S: "FATAL" });
    }
  });

  it("takes nothing that came with an SSLRequest, and each request once", async () => {
    const { ports } = await plain("postgres");
    const ssl = Buffer.concat([int32(8), int32(80877103)]);
    for (const bytes of [Buffer.concat([ssl, startupPacket({ user: "app" })]), Buffer.concat([ssl, ssl])]) {
      const client = new RawClient(ports.direct);
      const heard: Buffer[] = [];
      client.socket.on("data", (chunk: Buffer) => heard.push(chunk));
      client.socket.write(bytes);
      await client.ended();
      expect(Buffer.concat(heard).toString()).toMatch(/^NE.*FATAL/s);
    }
  });

  it("says names as they were sent", async () => {
    const { ports } = await plain("postgres");
    const client = await RawClient.open(ports.direct);
    const named = frame(CLIENT.bind, text(""), text("é"), Buffer.alloc(6));
    expect(errorOf(await client.ask([named, sync]))).toMatchObject({ M: 'prepared statement "é" does not exist' });
  });
});

describe("the HTTP face", () => {
  const open = async () => (await settings.pglite.start({ control: 0 })).controlUrl ?? "";

  it("obeys no page of another site", async () => {
    const url = await open();
    const post = (origin: string) =>
      fetch(`${url}/faults`, { method: "POST", headers: { origin }, body: '{"kind": "none"}' });
    const origins = ["https://evil.example", "null", "http://localhost.evil.example", "http://localhost:3000"];
    const answers = await Promise.all(origins.map(post));
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 200]);
  });

  it("keeps nothing of a body that does not end", async () => {
    const { hostname, port } = new URL(await open());
    const socket = connect(Number(port), hostname);
    socket.write("POST /reset HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n");
    const chunk = Buffer.concat([Buffer.from(`${MEBIBYTE.toString(16)}\r\n`), MANY, Buffer.from("\r\n")]);
    const before = heldBytes();
    for (let n = 0; n < 100; n++) if (!socket.write(chunk)) await once(socket, "drain");
    expect(heldBytes() - before).toBeLessThan(40 * MEBIBYTE);
    socket.write("0\r\n\r\n");
    expect(String(await once(socket, "data"))).toMatch(/^HTTP\/1.1 400/);
    socket.destroy();
  });

  it("leaves a listener who does not read", async () => {
    const hyperdrive = await settings.pglite.start({ control: 0 });
    const { hostname, port } = new URL(hyperdrive.controlUrl ?? "");
    const socket = connect(Number(port), hostname);
    socket.write("GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await once(socket, "data");
    socket.pause();
    const { log } = hyperdrive.instruments;
    const sql = "x".repeat(2000);
    const record = { type: "query", at: 0, request: "", door: "direct", user: "", status: "miss", reason: "" } as const;
    const before = heldBytes();
    for (let n = 0; n < 40_000; n++) {
      log.add({ ...record, sql });
      if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    log.reset();
    expect(heldBytes() - before).toBeLessThan(30 * MEBIBYTE);
    socket.destroy();
  });

  it.each([{ ms: "abc" }, { ms: -1 }, { ms: 1e12 }, { match: 5 }])("arms no fault with %j", async (spec) => {
    const url = await open();
    const answer = await fetch(`${url}/faults`, { method: "POST", body: JSON.stringify({ kind: "slow", ...spec }) });
    await fetch(`${url}/faults`, { method: "POST", body: '{"kind": "none"}' });
    expect(answer.status).toBe(400);
  });
});
