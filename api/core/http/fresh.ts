import type { Hono } from "hono";
import { AppError } from "../errors/app-error.ts";
import type { HonoEnv } from "../modules.ts";

/** `POST /api/fresh`: a signed-in caller whose last answer was lost reads past the cache from here on. */
export function mountFresh(app: Hono<HonoEnv>): void {
  app.post("/api/fresh", async (c) => {
    const context = c.get("context");
    if (!(await context.findCaller())) throw new AppError("UNAUTHENTICATED", "Sign in first");
    context.freshness.wrote = true;
    return c.body(null, 204);
  });
}
