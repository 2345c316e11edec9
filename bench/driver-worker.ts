// Answers one request with one way of asking Postgres, on a connection of its own, as a worker must.
import net from "node:net";
import { eq, sql } from "drizzle-orm";
import { drizzle as drizzlePg } from "drizzle-orm/node-postgres";
import { integer, pgTable, text } from "drizzle-orm/pg-core";
import { drizzle as drizzlePostgres } from "drizzle-orm/postgres-js";
import pg from "pg";
import postgres from "postgres";

interface Bindings {
  SLOW: { connectionString: string };
  FAST: { connectionString: string };
}

type WaitUntil = (promise: Promise<unknown>) => void;
type Ask = (connectionString: string, waitUntil: WaitUntil) => Promise<unknown[]>;

const note = pgTable("note", { id: integer().primaryKey(), body: text() });
const prelude = "select set_config('role', 'reader', true), set_config('request.jwt.claims', '{}', true)";

function openPg(connectionString: string, pipeline: boolean) {
  const client = new pg.Client({ connectionString, pipeline, stream: () => new net.Socket() });
  client.on("error", () => {});
  client.connect().catch(() => {});
  return { client, db: drizzlePg(client) };
}

function pgOne(pipeline: boolean): Ask {
  return async (connectionString, waitUntil) => {
    const { client, db } = openPg(connectionString, pipeline);
    const rows = await db.select().from(note).where(eq(note.id, 7));
    waitUntil(client.end());
    return rows;
  };
}

/** Nobody waits for a read's COMMIT. */
function pgRls(pipeline: boolean): Ask {
  return async (connectionString, waitUntil) => {
    const { client, db } = openPg(connectionString, pipeline);
    const [, rows] = await Promise.all([
      client.query(`begin read only; ${prelude}`),
      db.select().from(note).where(eq(note.id, 7)),
    ]);
    waitUntil(client.query("commit").then(() => client.end()));
    return rows;
  };
}

/** The client as the source document prints it. */
function openPrinted(connectionString: string) {
  const client = postgres(connectionString, { max: 1, prepare: false });
  return { client, db: drizzlePostgres(client) };
}

const printedOne: Ask = async (connectionString, waitUntil) => {
  const { client, db } = openPrinted(connectionString);
  const rows = await db.select().from(note).where(eq(note.id, 7));
  waitUntil(client.end());
  return rows;
};

const printedRls: Ask = async (connectionString, waitUntil) => {
  const { client, db } = openPrinted(connectionString);
  const rows = await db.transaction(async (tx) => {
    await tx.execute(sql`select set_config('role', 'reader', true), set_config('request.jwt.claims', '{}', true)`);
    return tx.select().from(note).where(eq(note.id, 7));
  });
  waitUntil(client.end());
  return rows;
};

/** Everything that makes postgres.js quicker: no look-up of types, prepared statements, statements sent together. */
function openBest(connectionString: string) {
  return postgres(connectionString, { max: 1, fetch_types: false });
}

const select = 'select "id", "body" from "note" where "note"."id" = $1';

const bestOne: Ask = async (connectionString, waitUntil) => {
  const client = openBest(connectionString);
  const rows = await client.unsafe(select, [7], { prepare: true });
  waitUntil(client.end());
  return rows;
};

/** With one connection, statements may go out by hand without waiting; only the answer to Parse is waited for. */
const bestRls: Ask = async (connectionString, waitUntil) => {
  const client = openBest(connectionString);
  const [, rows] = await Promise.all([
    client.unsafe(`begin read only; ${prelude}`),
    client.unsafe(select, [7], { prepare: true }),
  ]);
  waitUntil(client.unsafe("commit").then(() => client.end()));
  return rows;
};

const ways: Record<string, Ask> = {
  "/pg-pipeline/one": pgOne(true),
  "/pg-pipeline/rls": pgRls(true),
  "/pg/one": pgOne(false),
  "/pg/rls": pgRls(false),
  "/postgres-printed/one": printedOne,
  "/postgres-printed/rls": printedRls,
  "/postgres-best/one": bestOne,
  "/postgres-best/rls": bestRls,
};

export default {
  async fetch(request: Request, bindings: Bindings, context: { waitUntil: WaitUntil }): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const ask = ways[pathname];
    if (!ask) return new Response("no such way", { status: 404 });
    const { connectionString } = searchParams.has("slow") ? bindings.SLOW : bindings.FAST;
    const rows = await ask(connectionString, (promise) => context.waitUntil(promise));
    return Response.json(rows, { status: rows.length === 1 ? 200 : 500 });
  },
};
