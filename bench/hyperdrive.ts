// What the local Hyperdrive costs and spares, against the same Postgres in the same run.
//   bun run bench:hyperdrive            needs pgbench, as it comes with Postgres' client tools
import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import pg from "pg";
import { startPostgres } from "../dev/postgres.ts";

const run = promisify(execFile);
const rounds = 3;
const secondsPerRound = 5;
const clients = 8;
/** Hyperdrive's soft maximum of connections on the free plan. */
const poolSize = "20";
const samples = 3000;
const program = join(import.meta.dirname, "../dev/hyperdrive/cli.ts");

/** Starts the command in a process of its own. */
async function startCommand(origin: string, ...more: string[]): Promise<{ at: Record<string, string>; stop(): void }> {
  const ports = ["--cached-port", "0", "--direct-port", "0", ...more];
  const child = spawn(process.execPath, [program, "--origin", origin, ...ports], {
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

async function pgbenchRate(url: string, mode: string): Promise<number> {
  const args = ["-n", "-S", "-M", mode, "-c", String(clients), "-j", "2", "-T", String(secondsPerRound)];
  const { stdout } = await run("pgbench", [...args, url]);
  return Number(/tps = ([\d.]+)/.exec(stdout)?.[1]);
}

/** Median and 99th percentile of one query at a time, in milliseconds. */
async function latency(url: string): Promise<{ median: number; p99: number }> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const times: number[] = [];
  for (let i = 0; i < samples; i++) {
    const started = performance.now();
    await client.query("select abalance from pgbench_accounts where aid = $1", [1]);
    times.push(performance.now() - started);
  }
  await client.end();
  const sorted = times.slice(samples / 10).sort((one, other) => one - other);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { median: at(0.5), p99: at(0.99) };
}

const median = (values: number[]) => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;

async function measure(url: string): Promise<void> {
  await run("pgbench", ["-i", "-q", "-s", "1", url]);
  const hyperdrive = await startCommand(url, "--control-port", "0", "--pool-size", poolSize);
  try {
    const direct = urlAt(url, hyperdrive.at.direct);
    for (const mode of ["simple", "extended", "prepared"]) {
      const [plain, through]: number[][] = [[], []];
      for (let round = 0; round < rounds; round++) {
        plain?.push(await pgbenchRate(url, mode));
        through?.push(await pgbenchRate(direct, mode));
      }
      const [base, ours] = [median(plain ?? []), median(through ?? [])];
      const share = Math.round((100 * ours) / base);
      console.log(
        `pgbench -M ${mode} -S, ${clients} clients: ${base.toFixed(0)}/s alone, ${ours.toFixed(0)}/s through the direct door, ${share} %`,
      );
    }
    const places = { "a cache hit": urlAt(url, hyperdrive.at.cached), "the direct door": direct, Postgres: url };
    for (const [place, at] of Object.entries(places)) {
      const { median: middle, p99 } = await latency(at);
      console.log(`${place}: ${middle.toFixed(3)} ms median, ${p99.toFixed(3)} ms 99th percentile`);
    }
  } finally {
    hyperdrive.stop();
  }
}

const server = await startPostgres();
try {
  await measure(server.url);
} finally {
  await server.stop();
}
