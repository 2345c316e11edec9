import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { rootFolder } from "@repo/db/scripts/paths";
import type { DoorUrls } from "./doors.ts";
import { workerFolder } from "./settings.ts";

const program = join(rootFolder, "node_modules/wrangler/wrangler-dist/cli.js");
const preload = join(import.meta.dirname, "follow-parent.ts");
const graceMs = 3000;

// What wrangler says at every start and request, and bun dev or the worker's own log says better.
const noise = [
  /^\s*$/,
  /⛅️|^─+$|^⎔ (Starting|Connection)/,
  /^Found a non-empty CLOUDFLARE_HYPERDRIVE|^Using secrets defined in/,
  /^Your Worker has access to the following bindings|^Binding\s+Resource|^env\.\S+ \(/,
  /^\[wrangler:info\] (Ready on|[A-Z]+ \/)/,
  /Scheduled Workers are not automatically triggered|^\s+(To manually trigger|curl "http|For more details, see .*cron)/,
];

export interface RunningWorker {
  /** Resolves when wrangler ends by itself, with its exit code. */
  ended: Promise<number>;
  /** Ends wrangler and all it started; resolves when they are gone. */
  stop(): Promise<void>;
}

/** Variables that point the worker's two bindings at these doors, and keep wrangler to itself. */
export function wranglerVariables({ cached, direct }: Omit<DoorUrls, "owner">): Record<string, string> {
  return {
    CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_HYPERDRIVE_CACHED: cached,
    CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_HYPERDRIVE_DIRECT: direct,
    // Neither statistics nor questions nor requests to anywhere.
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_WRITE_LOGS: "false",
    WRANGLER_REGISTRY_PATH: join(workerFolder(), "registry"),
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    // For follow-parent.ts, which may be loaded after this process is gone.
    FAIRLEAD_DEV: String(process.pid),
  };
}

/** Starts the worker on this port; code changes reload it. */
export function startWorker(port: number, doors: DoorUrls): RunningWorker {
  const options = {
    ip: "127.0.0.1",
    port: String(port),
    "persist-to": workerFolder(),
    var: `APP_URL:http://127.0.0.1:${port}`,
  };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn(
    process.execPath,
    ["--no-warnings", "--import", preload, program, "dev", ...flags, "--show-interactive-dev-session=false"],
    {
      cwd: rootFolder,
      // A group of its own, so that all of it can be ended, and Ctrl-C reaches bun dev alone.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...wranglerVariables(doors) },
    },
  );
  showLines(child.stdout, process.stdout);
  showLines(child.stderr, process.stderr);
  const ended = once(child, "exit").then(([code]) => (typeof code === "number" ? code : 1));
  return { ended, stop: () => endGroup(child, ended) };
}

function showLines(from: Readable, to: Writable): void {
  createInterface(from).on("line", (line) => {
    if (!noise.some((pattern) => pattern.test(line))) to.write(`${line}\n`);
  });
}

async function endGroup(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  signalGroup(pid, "SIGTERM");
  const killer = setTimeout(() => signalGroup(pid, "SIGKILL"), graceMs);
  await ended;
  clearTimeout(killer);
  signalGroup(pid, "SIGKILL");
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // All of the group is gone.
  }
}
