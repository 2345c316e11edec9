import type { Hono } from "hono";
import { connectionOf } from "../database/doors.ts";
import { AppError } from "../errors/app-error.ts";
import type { HonoEnv } from "../modules.ts";

// now() keeps the probe out of the cache: it must reach the database.
const probe = "select now()";

/** `/health`: the process answers. `/ready`: the database answers through both bindings. */
export function mountHealth(app: Hono<HonoEnv>): void {
  app.get("/health", (c) => c.json({ status: "ok" }));
  app.get("/ready", async (c) => {
    const { db, dbDirect } = c.get("context");
    const doors = new Set([connectionOf(db), connectionOf(dbDirect)]);
    try {
      await Promise.all([...doors].map((connection) => connection.query(probe)));
    } catch (cause) {
      throw new AppError("UNAVAILABLE", "The database is out of reach", { cause });
    }
    return c.json({ status: "ready" });
  });
}
