import { spawnSync } from "node:child_process";
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import postgres from "postgres";
import { afterAll, afterEach, beforeAll } from "vitest";
import { startPostgres } from "../../postgres.ts";
import {
  createPgliteOrigin,
  createPostgresOrigin,
  type Hyperdrive,
  type HyperdriveOptions,
  type Origin,
  startHyperdrive,
} from "../index.ts";

export const KINDS = ["pglite", "postgres"] as const;
export type Kind = (typeof KINDS)[number];

/** A database with the login roles `app` and `other`, and ways to put Hyperdrives in front of it. */
export interface Setting {
  kind: Kind;
  origin: Origin;
  /** Only for kind `postgres`: the superuser's URL. */
  url: string;
  start(options?: Partial<HyperdriveOptions>): Promise<Hyperdrive>;
  /** Bytes of the database's own files that lie in this process's memory, as all of PGlite's do. */
  fileBytes(): Promise<number>;
  /** A sole pg connection; closed with the setting. */
  connect(connectionString: string, options?: pg.ClientConfig): Promise<pg.Client>;
  /** Ends what `start` and `connect` made. */
  tidy(): Promise<void>;
  close(): Promise<void>;
}

const ROLES = `
  create role app login password 'app-secret';
  create role other login password 'other-secret';
  grant create, usage on schema public to app, other;
`;

const FILE_BYTES_SQL = `
  select (select sum(size) from pg_ls_waldir()) + (select sum(pg_database_size(oid)) from pg_database) as bytes`;

export async function openSetting(kind: Kind): Promise<Setting> {
  const { origin, url, fileBytes, close } = kind === "pglite" ? await openPglite() : await openPostgres();
  const hyperdrives: Hyperdrive[] = [];
  const clients: pg.Client[] = [];
  const tidy = async () => {
    await Promise.all(clients.splice(0).map((client) => client.end().catch(() => {})));
    await Promise.all(hyperdrives.splice(0).map((hyperdrive) => hyperdrive.close()));
  };
  return {
    kind,
    origin,
    url,
    fileBytes,
    async start(options = {}) {
      const hyperdrive = await startHyperdrive({ origin, ...options });
      hyperdrives.push(hyperdrive);
      return hyperdrive;
    },
    async connect(connectionString, options = {}) {
      const client = new pg.Client({ connectionString, ...options });
      client.on("error", () => {});
      clients.push(client);
      await client.connect();
      return client;
    },
    tidy,
    async close() {
      await tidy();
      await origin.close();
      await close();
    },
  };
}

async function openPglite() {
  const pglite = await PGlite.create();
  await pglite.exec(ROLES);
  return {
    origin: createPgliteOrigin(pglite),
    url: "",
    async fileBytes() {
      const { rows } = await pglite.query<{ bytes: string }>(FILE_BYTES_SQL);
      return Number(rows[0]?.bytes);
    },
    close: () => pglite.close(),
  };
}

async function openPostgres() {
  const server = await startPostgres();
  const sql = postgres(server.url, { max: 1, onnotice: () => {} });
  await sql.unsafe(ROLES);
  await sql.end();
  const passwords = { app: "app-secret", other: "other-secret" };
  return {
    origin: createPostgresOrigin(server.ownerUrl, { passwords }),
    url: server.url,
    fileBytes: async () => 0,
    close: () => server.stop(),
  };
}

/** Both databases for the tests of a file: opened before them, tidied after each, closed at the end. */
export function useSettings(prepare?: (setting: Setting) => Promise<void>): Record<Kind, Setting> {
  const open = new Map<Kind, Setting>();
  beforeAll(async () => {
    for (const kind of KINDS) {
      const setting = await openSetting(kind);
      open.set(kind, setting);
      await prepare?.(setting);
      await setting.tidy();
    }
  });
  afterEach(() => Promise.all([...open.values()].map((setting) => setting.tidy())));
  afterAll(() => Promise.all([...open.values()].map((setting) => setting.close())));
  const get = (kind: Kind): Setting => {
    const setting = open.get(kind);
    if (setting === undefined) throw new Error("the setting opens in beforeAll");
    return setting;
  };
  return {
    get pglite() {
      return get("pglite");
    },
    get postgres() {
      return get("postgres");
    },
  };
}

export const hasPsql = spawnSync("psql", ["--version"]).status === 0;

/** Waits until a condition holds; the bound is there to fail, not to measure. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("the condition never came true");
}

export async function sqlState(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "no error";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}
