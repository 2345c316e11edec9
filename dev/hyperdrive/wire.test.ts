import { describe, expect, it } from "vitest";
import {
  bind,
  copyData,
  copyDone,
  copyFail,
  errorOf,
  execute,
  parse,
  q,
  RawClient,
  rowsOf,
  startupPacket,
  sync,
  typesOf,
} from "./testing/raw-client.ts";
import { eventually, KINDS, sqlState, useSettings } from "./testing/setting.ts";
import { CLIENT, frame } from "./wire/protocol.ts";

const settings = useSettings(async (setting) => {
  const { ports } = await setting.start();
  const client = await RawClient.open(ports.direct);
  await client.ask([q("create table line (id int, words text)")]);
});

describe.each(KINDS)("startup on %s", (kind) => {
  it("asks for the password by SCRAM-SHA-256", async () => {
    const hyperdrive = await settings[kind].start({ password: "sesame" });
    const url = hyperdrive.connectionString("direct", "app");
    const client = await settings[kind].connect(url);
    expect((await client.query("select current_user as who")).rows[0].who).toBe("app");
    expect(await sqlState(settings[kind].connect(url.replace("sesame", "simsim")))).toBe("28P01");
    expect(await sqlState(settings[kind].connect(url.replace("sesame", "")))).not.toBe("no error");
  });

  it("applies and reports the settings of the startup packet", async () => {
    const { ports } = await settings[kind].start({ poolSize: 1 });
    const options = "-c search_path=one\\ ,two --statement-timeout=12345";
    const client = await RawClient.open(ports.direct, "app", {
      TimeZone: "Asia/Tokyo",
      options,
      application_name: "o'brien",
    });
    const other = await RawClient.open(ports.direct);
    const shown = async (asker: RawClient, name: string) => rowsOf(await asker.ask([q(`show ${name}`)]))[0];
    expect(await shown(client, "timezone")).toBe("Asia/Tokyo");
    expect(await shown(other, "timezone")).not.toBe("Asia/Tokyo");
    expect(await shown(client, "search_path")).toBe("one ,two");
    expect(await shown(client, "application_name")).toBe("o'brien");
    expect(await shown(client, "statement_timeout")).toBe("12345ms");
    expect(await shown(other, "statement_timeout")).toBe("0");
  });

  it("answers SSLRequest with N, and older protocols with an error", async () => {
    const { ports } = await settings[kind].start();
    const client = new RawClient(ports.direct);
    const first = new Promise<string>((resolve) => client.socket.once("data", (chunk) => resolve(chunk.toString())));
    client.socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]));
    expect(await first).toBe("N");
    const old = new RawClient(ports.direct);
    old.socket.write(Buffer.from([0, 0, 0, 8, 0, 2, 0, 0]));
    expect(errorOf(await old.ended())).toMatchObject({ C: "0A000" });
  });
});

describe.each(KINDS)("frames on %s", (kind) => {
  it("are understood one byte at a time, and many at once", async () => {
    const { ports } = await settings[kind].start();
    const slow = new RawClient(ports.direct);
    const flight = [parse("", "select $1::text || 'é'"), bind("", "bytes"), execute(), sync];
    const bytes = Buffer.concat([startupPacket({ user: "app", database: "x" }), ...flight]);
    for (const byte of bytes) {
      slow.socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(rowsOf(await slow.until("Z", 2))).toEqual(["bytesé"]);
    const fast = await RawClient.open(ports.direct);
    const many = Array.from({ length: 300 }, (_, n) => [parse("", `select ${n}`), bind(""), execute(), sync]).flat();
    expect(rowsOf(await fast.ask(many, 300))).toEqual(Array.from({ length: 300 }, (_, n) => String(n)));
  });

  it("are taken in any number before a Sync", async () => {
    const { ports } = await settings[kind].start();
    const client = await RawClient.open(ports.direct);
    const many = Array.from({ length: 1500 }, (_, n) => [parse("", `select ${n}`), bind(""), execute()]).flat();
    expect(rowsOf(await client.ask([...many, sync])).length).toBe(1500);
  });

  it.each([
    ["an unknown type", frame(0x79, "what")],
    ["a length below four", Buffer.from([0x51, 0, 0, 0, 3])],
    ["a length beyond the limit", Buffer.from([0x51, 0x7f, 0xff, 0xff, 0xff])],
    ["a Sync with a body", Buffer.from([0x53, 0, 0, 0, 5, 0])],
    ["a Query without its end", frame(CLIENT.query, "select 1")],
    ["a Parse without its types", frame(CLIENT.parse, "a\0select 1\0")],
    ["a Describe of nothing", frame(CLIENT.describe, "Zx\0")],
    ["a Bind without names", frame(CLIENT.bind, "x")],
    ["a password nobody asked for", frame(CLIENT.password, "x\0")],
  ])("end the connection with 08P01 when there is %s", async (_, bytes) => {
    const { ports } = await settings[kind].start();
    const client = await RawClient.open(ports.direct);
    client.send(bytes);
    expect(errorOf(await client.ended())).toMatchObject({ S: "FATAL", C: "08P01" });
    const next = await RawClient.open(ports.direct);
    expect(rowsOf(await next.ask([q("select 'fine'")]))).toEqual(["fine"]);
  });

  it("carry large rows and parameters", async () => {
    const { ports } = await settings[kind].start();
    const client = await RawClient.open(ports.direct);
    const long = "x".repeat(5_000_000);
    const answer = await client.ask([parse("", "select $1::text || $1::text"), bind("", long), execute(), sync]);
    expect(rowsOf(answer)[0]?.length).toBe(2 * long.length);
  });
});

describe.each(KINDS)("COPY on %s", (kind) => {
  const open = async () => RawClient.open((await settings[kind].start()).ports.direct);
  const count = async (client: RawClient) => rowsOf(await client.ask([q("select count(*) from line")]))[0];

  it("takes rows in and gives them out, by either protocol", async () => {
    const client = await open();
    await client.ask([q("truncate line")]);
    client.send(q("copy line from stdin"));
    const asked = await client.until("G");
    expect(asked[0]?.body.readInt16BE(1)).toBe(2);
    expect(typesOf(await client.ask([copyData("1\ta\n2\t"), copyData("b\n"), copyDone]))).toBe("CZ");
    client.send(parse("", "COPY line FROM STDIN"), bind(""), execute(), sync);
    await client.until("G");
    expect(typesOf(await client.ask([copyData("3\tc\n"), copyDone, sync]))).toBe("CZ");
    const out = await client.ask([q("copy (select * from line order by id) to stdout")]);
    expect(typesOf(out)).toBe("HdddcCZ");
    expect(out.map(({ type, body }) => (type === "d" ? body.toString() : "")).join("")).toBe("1\ta\n2\tb\n3\tc\n");
  });

  it("keeps the client's transaction", async () => {
    const client = await open();
    await client.ask([q("truncate line")]);
    await client.ask([q("begin")]);
    await client.ask([q("insert into line values (1, 'kept')")]);
    client.send(q("copy line from stdin"));
    await client.until("G");
    const answer = await client.ask([copyData("2\tb\n"), copyDone]);
    expect(answer.at(-1)?.body.toString()).toBe("T");
    expect(await count(client)).toBe("2");
    await client.ask([q("rollback")]);
    expect(await count(client)).toBe("0");
  });

  it("fails where it must, and the connection goes on", async () => {
    const client = await open();
    await client.ask([q("truncate line")]);
    expect(errorOf(await client.ask([q("copy missing from stdin")]))).toMatchObject({ C: "42P01" });
    client.send(q("copy line from stdin"));
    await client.until("G");
    expect(errorOf(await client.ask([copyData("not a number\tb\n"), copyDone]))).toMatchObject({ C: "22P02" });
    client.send(q("copy line from stdin"));
    await client.until("G");
    expect(errorOf(await client.ask([copyFail("changed my mind")]))).toMatchObject({ C: "57014" });
    await client.ask([copyData("1\ta\n"), copyDone, q("select 1")]);
    expect(await count(client)).toBe("0");
  });

  it("is over when its client goes", async () => {
    const hyperdrive = await settings[kind].start({ poolSize: 1 });
    const leaving = await RawClient.open(hyperdrive.ports.direct);
    await leaving.ask([q("truncate line")]);
    leaving.send(q("copy line from stdin"));
    await leaving.until("G");
    leaving.send(copyData("1\ta\n"));
    leaving.socket.destroy();
    expect(await count(await RawClient.open(hyperdrive.ports.direct))).toBe("0");
  });

  it("refuses anything else in its midst", async () => {
    const hyperdrive = await settings[kind].start({ poolSize: 1 });
    const client = await RawClient.open(hyperdrive.ports.direct);
    client.send(q("copy line from stdin"), q("select 1"));
    expect(errorOf(await client.ended())).toMatchObject({ C: "08P01" });
    expect(await count(await RawClient.open(hyperdrive.ports.direct))).toBe("0");
  });

  it("survives one COPY among other statements, which PGlite cannot do", async () => {
    const client = await open();
    client.send(q("truncate line; copy line from stdin; select 'after'"));
    if (kind === "postgres") {
      await client.until("G");
      expect(rowsOf(await client.ask([copyData("1\ta\n"), copyDone]))).toEqual(["after"]);
    } else {
      expect(errorOf(await client.until("Z"))?.M).toMatch(/only as a statement of its own/);
    }
    expect(rowsOf(await client.ask([copyData("2\tb\n"), copyDone, q("select 'alive'")]))).toEqual(["alive"]);
  });
});

describe("a slow reader", () => {
  it("does not make the edge hold what it does not read", async () => {
    const { ports } = await settings.postgres.start({ poolSize: 1 });
    const client = await RawClient.open(ports.direct);
    const rows = 40_000;
    client.socket.pause();
    const before = process.memoryUsage().arrayBuffers;
    client.send(q(`select repeat('x', 10000) from generate_series(1, ${rows})`));
    let highest = 0;
    for (let look = 0; look < 50; look++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      highest = Math.max(highest, process.memoryUsage().arrayBuffers - before);
    }
    expect(highest).toBeLessThan(64 * 1024 * 1024);
    let received = 0;
    client.socket.removeAllListeners("data");
    client.socket.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    client.socket.resume();
    await eventually(() => received > rows * 10_000);
  });

  it("does not let a client pile up questions without reading the answers", async () => {
    const { ports, stats } = await settings.pglite.start();
    const client = await RawClient.open(ports.direct);
    client.socket.pause();
    const flights = 2000;
    for (let n = 0; n < flights; n++) client.send(parse("", "select repeat('x', 100000)"), bind(""), execute(), sync);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(stats.snapshot().direct.statements).toBeLessThan(flights);
    client.socket.destroy();
    const next = await RawClient.open(ports.direct);
    expect(rowsOf(await next.ask([q("select 'fine'")]))).toEqual(["fine"]);
  });
});
