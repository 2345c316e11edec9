import { Refusal, runCommand } from "@repo/db/scripts/cli";
import { leave, stopSignal } from "../stop.ts";
import { readOptions, readPasswords } from "./cli-options.ts";
import { openOrigin, tellWhenAway } from "./cli-origin.ts";
import { type Door, type HyperdriveOptions, startHyperdrive } from "./index.ts";
import { listen } from "./server.ts";
import { DOORS } from "./watch/stats.ts";

const usage = `bun run hyperdrive --origin postgres://user:password@host:5432/database [options]

Puts a local Hyperdrive in front of a Postgres: any client connects to its ports as it would to the database.

  --origin <url>              postgres://… (sslmode as libpq has it; ?host=/folder for a Unix socket),
                              or pglite:<folder> (no folder: in memory)
  --origin-password <user>=<text>  of another user than the URL's, who has another password; may be said again
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
  --shadow                    compares every hit with the origin: same, stale or leak, and names leaks on stderr
  --edge-prepared <on|off>    whether known prepared statements are answered without the origin (default on)
  --pool-size <n>             origin connections per door and user (default 5)
  --client-edge-ms <n>        round trip between client and edge (default 0)
  --edge-origin-ms <n>        round trip between edge and origin (default 0)
  --jitter <share>            how far each way may deviate, 0 to 1 (default 0)
  --seed <n>                  of the jitter (default 1)`;

const text = { type: "string" } as const;
const texts = { type: "string", multiple: true } as const;
const flag = { type: "boolean" } as const;

await runCommand({
  usage,
  options: {
    origin: text,
    "origin-password": texts,
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
    const { "origin-password": passwords = [], ...single } = values;
    const { host, ...options } = readOptions(single);
    // A database that is new takes seconds to make: nobody should wait for it in vain.
    await refuseTakenPorts({ host, ...options });
    const { origin, database, close } = await openOrigin(values.origin, readPasswords(passwords));
    try {
      const hyperdrive = await startHyperdrive({ origin, host, ...options }).catch(refuse);
      hyperdrive.instruments.log.tellLeaks((line) => console.error(line));
      // Before the first line: whoever reads it may end this at once.
      const signal = stopSignal();
      const at = (door: Door) => `${host.includes(":") ? `[${host}]` : host}:${hyperdrive.ports[door]}`;
      console.log(`cached   ${at("cached")}\ndirect   ${at("direct")}\norigin   ${at("origin")}`);
      console.log(`control  ${hyperdrive.controlUrl}`);
      console.log(`try      psql postgres://${encodeURIComponent(origin.owner)}@${at("cached")}/${database}`);
      void tellWhenAway(origin);
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
await leave();

async function refuseTakenPorts({ host, ports }: Pick<HyperdriveOptions, "ports"> & { host: string }): Promise<void> {
  for (const door of DOORS) {
    const port = ports?.[door] ?? 0;
    if (port === 0) continue;
    const listener = await listen({ door, host, port, onConnection: (socket) => socket.destroy() }).catch(refuse);
    await listener.close();
  }
}

function refuse(error: unknown): never {
  throw new Refusal(error instanceof Error ? error.message : String(error));
}
