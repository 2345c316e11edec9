// What the local Hyperdrive costs and spares, against the same Postgres in the same run.
//   bun run bench:hyperdrive [--rounds 5] [--seconds 3]      needs pgbench, as it comes with Postgres' client tools
import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs, promisify } from "node:util";
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { startPostgres } from "../dev/postgres.ts";

const run = promisify(execFile);
const { values } = parseArgs({
  options: {
    help: { type: "boolean", default: false },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
  },
});
if (values.help) {
  console.log(`Usage: bun run bench:hyperdrive [--rounds 5] [--seconds 3]
One query at a time at each place in turns, on Postgres and on PGlite, then pgbench against Postgres and through the
direct door in turns.`);
  process.exit(0);
}
const rounds = atLeastOne("rounds", values.rounds);
const seconds = atLeastOne("seconds", values.seconds);
const clients = 8;
/** Hyperdrive's soft maximum of connections on the free plan. */
const poolSize = "20";
/** One query at a time: so many at one place before the next has its turn, and how often each has one. */
const queriesPerTurn = 200;
const turns = 60;
const warmUpTurns = 30;
const program = join(import.meta.dirname, "../dev/hyperdrive/cli.ts");

function atLeastOne(name: string, value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 1) return number;
  console.error(`--${name} takes a whole number of at least 1`);
  process.exit(1);
}

/** Starts the command in a process of its own. */
async function startCommand(origin: string): Promise<{ at: Record<string, string>; stop(): void }> {
  const ports = ["cached", "direct", "control"].flatMap((door) => [`--${door}-port`, "0"]);
  const child = spawn(process.execPath, [program, "--origin", origin, "--pool-size", poolSize, ...ports], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const at: Record<string, string> = {};
  for await (const line of createInterface(child.stdout)) {
    const [name = "", address = ""] = line.split(/\s+/);
    at[name] = address;
    if (name === "control") break;
  }
  return { at, stop: () => void child.kill("SIGTERM") };
}

function urlAt(url: string, address: string | undefined): string {
  if (!address) throw new Error("the command named no such door");
  const moved = new URL(url);
  moved.host = address;
  return moved.href;
}

interface Load {
  mode: "simple" | "extended" | "prepared";
  /** Threads of pgbench; its own default is 1. */
  threads: number;
}
const loads: readonly Load[] = [
  { mode: "simple", threads: 1 },
  { mode: "extended", threads: 1 },
  { mode: "prepared", threads: 1 },
  { mode: "prepared", threads: 2 },
];

async function pgbenchRate(url: string, { mode, threads }: Load): Promise<number> {
  const args = ["-n", "-S", "-M", mode, "-c", String(clients), "-j", String(threads), "-T", String(seconds), url];
  const { stdout } = await run("pgbench", args);
  return Number(/tps = ([\d.]+)/.exec(stdout)?.[1]);
}

async function compareRates(url: string, direct: string, load: Load): Promise<string> {
  const [alone, through]: [number[], number[]] = [[], []];
  // Node compiles what is hot while it runs.
  await pgbenchRate(direct, load);
  for (let round = 0; round < rounds; round++) {
    alone.push(await pgbenchRate(url, load));
    through.push(await pgbenchRate(direct, load));
  }
  const share = Math.round((100 * median(through)) / median(alone));
  const rates = `${median(alone).toFixed(0)}/s alone, ${median(through).toFixed(0)}/s through the direct door`;
  return `pgbench -M ${load.mode} -S -c ${clients} -j ${load.threads}: ${rates}, ${share} %`;
}

/** Where the query is asked, and how. */
interface Place {
  ask(): Promise<unknown>;
  close(): Promise<void>;
}

const query = { text: "select abalance from pgbench_accounts where aid = $1", values: [1] };

/** `name`: the query is prepared once. */
async function openPlace(connectionString: string, name?: string): Promise<Place> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return { ask: () => client.query({ ...query, ...(name && { name }) }), close: () => client.end() };
}

/** Asks one query at a time, at each place in turns, and says how long it took. */
async function compareTimes(title: string, places: Record<string, Place>): Promise<void> {
  const times = new Map(Object.keys(places).map((name): [string, number[]] => [name, []]));
  try {
    for (let turn = 0; turn < turns; turn++) {
      for (const [name, place] of Object.entries(places)) {
        const taken = await timesOf(place);
        if (turn >= warmUpTurns) times.get(name)?.push(...taken);
      }
    }
  } finally {
    for (const place of Object.values(places)) await place.close();
  }
  console.log(title);
  for (const [name, taken] of times) {
    const [middle, slow] = [median(taken), quantile(taken, 0.99)];
    console.log(`  ${name}: ${middle.toFixed(3)} ms median, ${slow.toFixed(3)} ms 99th percentile`);
  }
}

async function timesOf({ ask }: Place): Promise<number[]> {
  const times: number[] = [];
  for (let count = 0; count < queriesPerTurn; count++) {
    const started = performance.now();
    await ask();
    times.push(performance.now() - started);
  }
  return times;
}

function quantile(numbers: readonly number[], share: number): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length * share)] ?? Number.NaN;
}

function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

async function measureRates(url: string, socketFolder: string): Promise<void> {
  const atSocket = `${url}?host=${encodeURIComponent(socketFolder)}`;
  for (const [origin, name] of [
    [url, "TCP"],
    [atSocket, "Unix socket"],
  ] as const) {
    const hyperdrive = await startCommand(origin);
    const direct = urlAt(url, hyperdrive.at.direct);
    try {
      console.log(`pgbench by TCP, the command's way to Postgres by ${name}:`);
      for (const load of loads) console.log(`  ${await compareRates(url, direct, load)}`);
    } finally {
      hyperdrive.stop();
    }
  }
}

async function measureTimes(url: string): Promise<void> {
  const { at, stop } = await startCommand(url);
  try {
    for (const name of [undefined, "balance"]) {
      const title = name ? "prepared once by name" : "as the worker sends it";
      await compareTimes(`One query at a time, ${title}:`, {
        "a cache hit": await openPlace(urlAt(url, at.cached), name),
        Postgres: await openPlace(url, name),
        "the direct door": await openPlace(urlAt(url, at.direct), name),
      });
    }
  } finally {
    stop();
  }
}

const asPostgres = "postgres://postgres@127.0.0.1/postgres";

/** The same in front of PGlite, which has no door of its own: alone it is asked within this process. */
async function measurePglite(): Promise<void> {
  const { at, stop } = await startCommand("pglite:");
  const alone = await PGlite.create();
  try {
    await run("pgbench", ["-i", "-q", "-I", "dtGp", urlAt(asPostgres, at.origin)]);
    await alone.exec(`create table pgbench_accounts (aid int primary key, bid int, abalance int, filler char(84));
      insert into pgbench_accounts select aid, 1, 0, '' from generate_series(1, 100000) as aid`);
    await compareTimes("One query at a time on PGlite, as the worker sends it:", {
      "a cache hit": await openPlace(urlAt(asPostgres, at.cached)),
      "PGlite in the asker's process": {
        ask: () => alone.query(query.text, query.values),
        close: () => alone.close(),
      },
      "the direct door": await openPlace(urlAt(asPostgres, at.direct)),
    });
    const rates: string[] = [];
    for (const mode of ["simple", "extended", "prepared"] as const) {
      const rate = await pgbenchRate(urlAt(asPostgres, at.direct), { mode, threads: 1 });
      rates.push(`-M ${mode} ${rate.toFixed(0)}/s`);
    }
    console.log(`pgbench -S -c ${clients} through the direct door: ${rates.join(", ")}`);
  } finally {
    stop();
  }
}

const server = await startPostgres({ hasSocket: true });
try {
  await run("pgbench", ["-i", "-q", "-s", "1", server.url]);
  await measureTimes(server.url);
  await measurePglite();
  await measureRates(server.url, server.socketFolder);
} finally {
  await server.stop();
}
