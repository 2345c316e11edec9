// Compares how drivers ask Postgres from workerd: how often a request waits, and how many requests a second pass.
//   bun run bench:driver
import { join } from "node:path";
import postgres from "postgres";
import { unstable_startWorker } from "wrangler";
import { startPostgres } from "../dev/postgres.ts";
import { alternate } from "./load.ts";
import { startSlowWire } from "./slow-wire.ts";

const delayMs = 100;

const drivers = {
  "pg-pipeline": "pg, pipeline: true",
  pg: "pg, pipeline: false",
  "postgres-printed": "postgres.js, max: 1, prepare: false, through Drizzle",
  "postgres-best": "postgres.js, best case, without Drizzle",
};
type Driver = keyof typeof drivers;
const names = Object.keys(drivers) as Driver[];
const cases = ["one", "rls"] as const;
type Case = (typeof cases)[number];

async function prepare(url: string): Promise<void> {
  const db = postgres(url, { max: 1, onnotice: () => {} });
  await db.unsafe(`
    create table note (id int primary key, body text);
    insert into note select n, repeat('x', 100) from generate_series(1, 1000) n;
    create role reader nologin;
    grant select on note to reader;
    alter table note enable row level security;
    create policy note_reader on note to reader using (true);
    create role bench login password 'bench' noinherit;
    grant reader to bench with set true, inherit false;
    grant select on note to bench;
    create policy note_bench on note to bench using (true);
  `);
  await db.end();
}

function addressOn(port: number | string): string {
  return `postgres://bench:bench@127.0.0.1:${port}/fairlead`;
}

const server = await startPostgres();
await prepare(server.url);
const { port } = new URL(server.url);
const wire = await startSlowWire(Number(port), delayMs);
process.env.CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_SLOW = addressOn(wire.port);
process.env.CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_FAST = addressOn(port);
process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
const worker = await unstable_startWorker({
  config: join(import.meta.dirname, "driver.toml"),
  dev: { logLevel: "error", server: { port: 0 }, inspector: false, watch: false },
});
const base = await worker.url;

async function ask(driver: Driver, what: Case, slow = false): Promise<void> {
  const response = await fetch(new URL(`/${driver}/${what}${slow ? "?slow" : ""}`, base));
  const text = await response.text();
  if (!response.ok) throw new Error(`${driver}/${what} answered ${response.status}: ${text}`);
}

/** How often a request waits for Postgres once the connection stands, by the clock: every answer takes `delayMs`. */
async function trips(driver: Driver, what: Case): Promise<number> {
  await ask(driver, what);
  wire.startupFlights();
  const started = performance.now();
  await ask(driver, what, true);
  return Math.floor((performance.now() - started) / delayMs) - wire.startupFlights();
}

/** Requests a second of each driver. */
function rates(what: Case): Promise<Record<Driver, number>> {
  const ways = names.map((driver) => [driver, () => ask(driver, what)] as const);
  return alternate(Object.fromEntries(ways) as Record<Driver, () => Promise<void>>);
}

try {
  const waits = new Map<string, number>();
  for (const driver of names) for (const what of cases) waits.set(`${driver}/${what}`, await trips(driver, what));
  const one = await rates("one");
  const rls = await rates("rls");
  const ratio = (all: Record<Driver, number>, driver: Driver) => (all[driver] / all["postgres-printed"]).toFixed(2);
  console.log("| driver | trips, one query | trips, RLS read | requests/s, one query | requests/s, RLS read |");
  console.log("| --- | --- | --- | --- | --- |");
  for (const driver of names) {
    const cells = [waits.get(`${driver}/one`), waits.get(`${driver}/rls`), ratio(one, driver), ratio(rls, driver)];
    console.log(`| ${drivers[driver]} | ${cells.join(" | ")} |`);
  }
  console.log("\nRequests/s as ratios to postgres.js as printed, medians of one run without latency.");
} finally {
  await worker.dispose();
  wire.close();
  await server.stop();
}
