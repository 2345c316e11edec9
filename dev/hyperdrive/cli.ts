import { PGlite } from "@electric-sql/pglite";
import { Refusal, runCommand } from "@repo/db/scripts/cli";
import { stopSignal } from "../stop.ts";
import { PROFILES, type Profile } from "./cacheability.ts";
import {
  createPgliteOrigin,
  createPostgresOrigin,
  type HyperdriveOptions,
  type Origin,
  startHyperdrive,
} from "./index.ts";

const usage = `bun run hyperdrive --origin postgres://user:password@host:5432/database [options]

Puts a local Hyperdrive in front of a Postgres: any client connects to its ports as it would to the database.

  --origin <url>              postgres://… (sslmode as libpq has it; ?host=/folder for a Unix socket),
                              or pglite:<folder> (no folder: in memory)
  --cached-port <n>           the door with the cache (default 5433)
  --direct-port <n>           the door without (default 5434)
  --origin-port <n>           the door for tools: no pool, no restrictions (default: any free port)
  --control-port <n>          HTTP on 127.0.0.1: GET /stats /queries /events, POST /reset /clock /faults (default 5435)
  --host <address>            where the doors listen (default 127.0.0.1); beyond loopback with --password only
  --password <text>           asked of every client (default: everybody is trusted)
  --max-age <seconds>         how long an answer is fresh (default 60, at most 3600)
  --stale-while-revalidate <seconds>  how long after that it is served while one refresh runs (default 15)
  --caching-disabled          no cache at all
  --profile <name>            paranoid (default): caches what Cloudflare's documentation is silent about; strict-docs: does not
  --locations <n>             locations with caches of their own; connections take turns (default 1)
  --shadow                    compares every hit with the origin: same, stale or leak
  --edge-prepared <on|off>    whether known prepared statements are answered without the origin (default on)
  --pool-size <n>             origin connections per door and user (default 5)
  --client-edge-ms <n>        round trip between client and edge (default 0)
  --edge-origin-ms <n>        round trip between edge and origin (default 0)
  --jitter <share>            how far each way may deviate, 0 to 1 (default 0)
  --seed <n>                  of the jitter (default 1)`;

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;

await runCommand({
  usage,
  options: {
    origin: text,
    "cached-port": text,
    "direct-port": text,
    "origin-port": text,
    "control-port": text,
    host: text,
    password: text,
    "max-age": text,
    "stale-while-revalidate": text,
    "caching-disabled": flag,
    profile: text,
    locations: text,
    shadow: flag,
    "edge-prepared": text,
    "pool-size": text,
    "client-edge-ms": text,
    "edge-origin-ms": text,
    jitter: text,
    seed: text,
  },
  async run(values) {
    const { host, ...options } = readOptions(values);
    const { origin, close } = await openOrigin(values.origin);
    try {
      const hyperdrive = await startHyperdrive({ origin, host, ...options }).catch(refuse);
      const { cached, direct, origin: tools } = hyperdrive.ports;
      console.log(`cached   ${host}:${cached}\ndirect   ${host}:${direct}\ntools    ${host}:${tools}`);
      console.log(`control  ${hyperdrive.controlUrl}`);
      const signal = stopSignal();
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener("abort", () => resolve());
      });
      await hyperdrive.close();
    } finally {
      await close();
    }
  },
});
process.exit();

type Values = Record<string, string | boolean | undefined>;

async function openOrigin(url: string | undefined): Promise<{ origin: Origin; close(): Promise<void> }> {
  if (url === undefined) throw new Refusal("Which database? --origin postgres://user:password@host:5432/database");
  if (!url.startsWith("pglite:")) {
    const origin = postgresOrigin(url);
    return { origin, close: () => origin.close() };
  }
  const folder = url.slice("pglite:".length);
  const pglite = await (folder === "" ? PGlite.create() : PGlite.create(folder));
  const origin = createPgliteOrigin(pglite);
  return { origin, close: () => origin.close().then(() => pglite.close()) };
}

function postgresOrigin(url: string): Origin {
  try {
    return createPostgresOrigin(url);
  } catch (error) {
    return refuse(error);
  }
}

function readOptions(values: Values): Omit<HyperdriveOptions, "origin"> & { host: string } {
  const number = (name: string, fallback: number) => readNumber(name, values[name], fallback);
  const profile = readProfile(values.profile ?? "paranoid");
  const cache = {
    profile,
    maxAgeMs: number("max-age", 60) * 1000,
    staleMs: number("stale-while-revalidate", 15) * 1000,
  };
  const host = typeof values.host === "string" ? values.host : "127.0.0.1";
  if (!isLoopback(host) && typeof values.password !== "string") {
    throw new Refusal(`Whoever reaches ${host} would be let in as any user: say --password too.`);
  }
  return {
    host,
    ports: {
      cached: number("cached-port", 5433),
      direct: number("direct-port", 5434),
      origin: number("origin-port", 0),
    },
    control: number("control-port", 5435),
    cache: values["caching-disabled"] === true ? false : cache,
    locations: number("locations", 1),
    shadow: values.shadow === true,
    edgePrepared: readSwitch("edge-prepared", values["edge-prepared"] ?? "on"),
    poolSize: number("pool-size", 5),
    latency: {
      clientEdgeMs: number("client-edge-ms", 0),
      edgeOriginMs: number("edge-origin-ms", 0),
      jitter: number("jitter", 0),
      seed: number("seed", 1),
    },
    ...(typeof values.password === "string" ? { password: values.password } : {}),
  };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

function readNumber(name: string, value: string | boolean | undefined, fallback: number): number {
  const number = Number(value ?? fallback);
  if (value === "" || !(number >= 0)) throw new Refusal(`--${name} takes a number, not "${value}".`);
  return number;
}

function readSwitch(name: string, value: string | boolean): boolean {
  if (value !== "on" && value !== "off") throw new Refusal(`--${name} takes on or off.`);
  return value === "on";
}

function readProfile(value: string | boolean): Profile {
  if (value === "paranoid" || value === "strict-docs") return value;
  throw new Refusal(`--profile takes ${Object.keys(PROFILES).join(" or ")}.`);
}

function refuse(error: unknown): never {
  throw new Refusal(error instanceof Error ? error.message : String(error));
}
