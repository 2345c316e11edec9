import { resolve } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { Refusal, runCommand } from "@repo/db/scripts/cli";
import { openFolder } from "../pglite-folder.ts";
import { stopSignal } from "../stop.ts";
import { readOptions } from "./cli-options.ts";
import { createPgliteOrigin, createPostgresOrigin, type Door, type Origin, startHyperdrive } from "./index.ts";

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
      // Before the first line: whoever reads it may end this at once.
      const signal = stopSignal();
      const at = (door: Door) => `${host.includes(":") ? `[${host}]` : host}:${hyperdrive.ports[door]}`;
      console.log(`cached   ${at("cached")}\ndirect   ${at("direct")}\ntools    ${at("origin")}`);
      console.log(`control  ${hyperdrive.controlUrl}`);
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

async function openOrigin(url: string | undefined): Promise<{ origin: Origin; close(): Promise<void> }> {
  if (url === undefined) throw new Refusal("Which database? --origin postgres://user:password@host:5432/database");
  if (!url.startsWith("pglite:")) {
    const origin = postgresOrigin(url);
    return { origin, close: () => origin.close() };
  }
  const folder = url.slice("pglite:".length);
  const { pglite, lock } = folder === "" ? { pglite: await PGlite.create() } : await lockFolder(folder);
  const origin = createPgliteOrigin(pglite);
  return {
    origin,
    async close() {
      await origin.close();
      await pglite.close();
      lock?.release();
    },
  };
}

function lockFolder(folder: string) {
  return openFolder(resolve(folder), { role: "command", elsewhere: "name another folder after pglite:" });
}

function postgresOrigin(url: string): Origin {
  if (!/^postgres(?:ql)?:/.test(url)) throw new Refusal("--origin must begin with postgres:// or pglite:");
  try {
    return createPostgresOrigin(url);
  } catch (error) {
    return refuse(error);
  }
}

function refuse(error: unknown): never {
  throw new Refusal(error instanceof Error ? error.message : String(error));
}
