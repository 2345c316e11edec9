// The least that a worker with a database can be: Hono, one connection, one query. The measure for bench/caller.ts.
import net from "node:net";
import { Hono } from "hono";
import pg from "pg";

interface Bindings {
  HYPERDRIVE_DIRECT: { connectionString: string };
}

const app = new Hono<{ Bindings: Bindings }>();

app.get("/", async (c) => {
  const { connectionString } = c.env.HYPERDRIVE_DIRECT;
  const client = new pg.Client({ connectionString, pipeline: true, stream: () => new net.Socket() });
  client.connect().catch(() => {});
  const { rows } = await client.query("select current_user as me where $1::int = 1", [1]);
  c.executionCtx.waitUntil(client.end());
  return c.json(rows[0]);
});

export default app;
