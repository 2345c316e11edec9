import {
  bearerToken,
  type Caller,
  type FindCaller,
  finderOf,
  resolveCaller,
  resolveExternal,
  sessionCookie,
  sessionToken,
} from "./caller.ts";
import type { ConnectionOptions } from "./database/connection.ts";
import { type CachedDb, connectionOf, createDb, type Db } from "./database/doors.ts";
import { type Leg, Trips } from "./database/trips.ts";
import type { Env } from "./env.ts";
import { isJwt, verifyExternalToken } from "./external-token.ts";
import { freshCookie, freshHeader, isFresh } from "./freshness.ts";

export interface Runtime {
  env: Env;
  requestId: string;
  /** Keeps the worker alive for a promise after the response. */
  waitUntil(promise: Promise<unknown>): void;
}

/** What every request, job and cron run works with. */
export interface Context extends Runtime {
  headers: Headers;
  /** The cached door: public rows, up to 75 s old; past the cache for whoever just wrote. */
  db: CachedDb;
  /** The direct door: public and identity rows, the ground of `rls` and `asService`. */
  dbDirect: Db;
  trips: Trips;
  /** Procedures that the request asks for, and the paths of those that were begun for a known caller. */
  calls: { wanted: number; begun: string[] };
  /** The caller, resolved once and only when asked for; null for a visitor. */
  findCaller: FindCaller;
  /** Whether a write transaction was opened, whatever became of it. */
  freshness: { wrote: boolean };
  /** Set where path and timing tell what only the caller may know: neither is shown nor logged whole. */
  discretion: { needed: boolean };
  /** IP address of the client, as Cloudflare reports it. */
  ip: string;
}

/** Another way than a session to know the caller; undefined where the request does not take it. */
export type CallerSource = (context: Context) => Promise<Caller> | undefined;

const sources: CallerSource[] = [];

/** Takes over from the registry how modules know callers. */
export function addCallerSources(more: CallerSource[]): void {
  sources.push(...more);
}

function directDb(runtime: Runtime, trips: Trips): Db {
  return createDb(runtime.env.HYPERDRIVE_DIRECT, connectionOptions(runtime, trips, "db-direct"));
}

/**
 * Gives work outside a request (jobs, cron) a client on the direct binding; answers what it answers. The client is
 * closed behind it, whatever became of it; nobody waits for that.
 */
export async function withDirectDb<T>(runtime: Runtime, work: (dbDirect: Db) => Promise<T>): Promise<T> {
  const dbDirect = directDb(runtime, new Trips());
  try {
    return await work(dbDirect);
  } finally {
    runtime.waitUntil(connectionOf(dbDirect).close());
  }
}

/** The context of one request. Opens no connection by itself; end it with `closeContext`. */
export async function createContext(runtime: Runtime, headers: Headers): Promise<Context> {
  const trips = new Trips();
  const dbDirect = directDb(runtime, trips);
  const tokens = [headers.get(freshHeader) ?? undefined, cookieOf(headers, freshCookie)];
  const fresh = await isFresh(runtime.env.AUTH_SECRET, tokens);
  const db = fresh ? dbDirect : createDb(runtime.env.HYPERDRIVE_CACHED, connectionOptions(runtime, trips, "db-cached"));
  const context: Context = {
    ...runtime,
    headers,
    db,
    dbDirect,
    trips,
    freshness: { wrote: false },
    discretion: { needed: false },
    calls: { wanted: 1, begun: [] },
    ip: headers.get("cf-connecting-ip") ?? "127.0.0.1",
    findCaller: finderOf(() => lookUpCaller(context)),
  };
  return context;
}

/** Closes what the request opened; does not wait for it. */
export function closeContext({ db, dbDirect, waitUntil }: Context): void {
  for (const connection of new Set([connectionOf(db), connectionOf(dbDirect)])) {
    if (connection.opened) waitUntil(connection.close());
  }
}

async function lookUpCaller(context: Context): Promise<Caller | null> {
  for (const source of sources) {
    const found = source(context);
    if (found) return found;
  }
  const { env, headers, dbDirect } = context;
  const organizationId = headers.get("x-organization") ?? undefined;
  const bearer = bearerToken(headers);
  if (bearer && isJwt(bearer)) {
    const person = await verifyExternalToken(env, bearer);
    return person && resolveExternal(dbDirect, person, organizationId);
  }
  const token = await sessionToken(headers, sessionCookie(env.APP_URL), env.AUTH_SECRET);
  return token ? resolveCaller(dbDirect, token, organizationId) : null;
}

function connectionOptions(
  { env, requestId, waitUntil }: Runtime,
  trips: Trips,
  leg: Leg,
): Omit<ConnectionOptions, "connectionString"> {
  return {
    leg,
    trips,
    waitUntil,
    pipeline: env.DB_PIPELINE === "on",
    connectTimeoutMs: env.DB_CONNECT_TIMEOUT_MS,
    queryTimeoutMs: env.DB_QUERY_TIMEOUT_MS,
    ...(env.DB_TRACE === "on" ? { applicationName: requestId } : {}),
  };
}

function cookieOf(headers: Headers, name: string): string | undefined {
  return headers.get("cookie")?.match(new RegExp(`(?:^|;\\s*)${name}=([^;]*)`))?.[1];
}
