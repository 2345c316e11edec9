import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import {
  bind,
  copyData,
  copyDone,
  describeStatement,
  execute,
  flush,
  parse,
  q,
  RawClient,
  rowsOf,
  startupPacket,
  sync,
} from "./testing/raw-client.ts";
import { eventually, KINDS, useSettings } from "./testing/setting.ts";
import { CLIENT, frame } from "./wire/protocol.ts";

/** Half of them through each door, on each database, after a tenth as many to warm up. */
const STREAMS = Number(process.env.FUZZ_STREAMS ?? 3000);
const AT_ONCE = 25;
/** A bound that grows with the number of streams; most take a few milliseconds. */
const LIMIT_MS = 60_000 + 40 * STREAMS;
const settings = useSettings();

/** A generator of numbers in [0, 1) that says the same from the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const PIECES = [
  q("select 1"),
  q("begin"),
  q("commit"),
  q("rollback"),
  q("select 1; select 2"),
  q("selec"),
  q("copy (select 1) to stdout"),
  q("create temporary table if not exists fuzz (a int)"),
  q("copy fuzz from stdin"),
  q("listen x"),
  q(""),
  parse("", "select $1::text"),
  parse("s", "select 's'"),
  parse("c", "copy fuzz from stdin"),
  bind("", "x"),
  bind("s"),
  bind("c"),
  describeStatement("s"),
  describeStatement(""),
  execute(),
  execute(1),
  frame(CLIENT.close, "Ss\0"),
  frame(CLIENT.close, "P\0"),
  frame(CLIENT.functionCall, Buffer.alloc(10)),
  copyData("1\n"),
  copyDone,
  frame(CLIENT.copyFail, "no\0"),
  flush,
  sync,
  frame(CLIENT.terminate),
  frame(CLIENT.password, "x\0"),
];

/** A stream of valid messages in random order, some of them damaged. */
function stream(next: () => number): Buffer {
  const pieces = Array.from({ length: 1 + Math.floor(next() * 12) }, () => {
    const piece = Buffer.from(PIECES[Math.floor(next() * PIECES.length)] ?? sync);
    if (next() < 0.1) piece[Math.floor(next() * piece.length)] = Math.floor(next() * 256);
    return next() < 0.03 ? piece.subarray(0, Math.floor(next() * piece.length)) : piece;
  });
  const start =
    next() < 0.95 ? startupPacket({ user: next() < 0.9 ? "app" : "other", database: "x" }) : Buffer.alloc(0);
  const noise =
    next() < 0.05 ? Buffer.from(Array.from({ length: 40 }, () => Math.floor(next() * 256))) : Buffer.alloc(0);
  return Buffer.concat([start, noise, ...pieces]);
}

/** What this process holds once all garbage is gone; `bytes` with PGlite's files. */
function holdings() {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") throw new Error("there is no gc to call");
  for (let i = 0; i < 3; i++) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  const resources = process.getActiveResourcesInfo();
  const count = (kind: string) => resources.filter((resource) => resource === kind).length;
  return { bytes: heapUsed + arrayBuffers, sockets: count("TCPSocketWrap"), timers: count("Timeout") };
}

/** Sends so many streams, a few at a time; returns what a well-behaved client beside them was answered wrongly. */
async function attack(port: number, count: number, next: () => number): Promise<string[]> {
  const witness = await RawClient.open(port);
  const wrong: string[] = [];
  for (let done = 0; done < count; done += AT_ONCE) {
    const clients = Array.from({ length: AT_ONCE }, () => {
      const client = new RawClient(port);
      // Half of them vanish at once; the others stay until they have been answered, or for ever if nobody hangs up.
      if (next() < 0.5) client.socket.end(stream(next));
      else client.send(stream(next), frame(CLIENT.copyFail, "end\0"), sync, frame(CLIENT.terminate));
      client.socket.setTimeout(100, () => client.socket.destroy());
      return client.ended();
    });
    const flight = [parse("w", `select 'w${done}'`), bind("w"), execute(), frame(CLIENT.close, "Sw\0"), sync];
    const answer = await witness.ask(flight);
    if (rowsOf(answer)[0] !== `w${done}`) wrong.push(`the witness got ${rowsOf(answer)} for w${done}`);
    await Promise.all(clients);
  }
  witness.socket.destroy();
  await witness.ended();
  return wrong;
}

/** What may stay however long it goes on: tables of statements and verdicts, which are bounded by number. */
const STAYS_BYTES = 8 * 1024 * 1024;

describe.each(KINDS)("malformed streams on %s", (kind) => {
  it.each(["direct", "cached"] as const)(
    "at the %s door end, harm nobody else, and leave nothing behind",
    async (door) => {
      const idle = holdings();
      const hyperdrive = await settings[kind].start({ waitMs: 30_000, cache: {} });
      const port = hyperdrive.ports[door];
      const next = random(20_240_601);
      const look = async () => {
        await eventually(() => hyperdrive.stats.snapshot()[door].open === 0);
        hyperdrive.instruments.log.reset();
        const files = await settings[kind].fileBytes();
        const { bytes } = holdings();
        return bytes - files;
      };
      expect(await attack(port, STREAMS / 10, next)).toEqual([]);
      const before = await look();
      expect(await attack(port, STREAMS / 2, next)).toEqual([]);
      const after = await look();
      console.log(kind, door, (after - before) / 1048576);
      expect(after - before).toBeLessThan(STAYS_BYTES);

      const last = await RawClient.open(port);
      expect(rowsOf(await last.ask([q("select current_user || current_setting('role')")]))).toEqual(["appnone"]);
      const [kept] = rowsOf(await last.ask([q("select count(*) from pg_prepared_statements")]));
      expect(Number(kept)).toBeLessThanOrEqual(201);
      last.socket.destroy();
      await hyperdrive.close();
      expect(hyperdrive.stats.snapshot()[door].open).toBe(0);
      // Whatever had a socket or a timer has let go of it.
      await eventually(() => holdings().sockets <= idle.sockets && holdings().timers <= idle.timers);
    },
    LIMIT_MS,
  );
});
