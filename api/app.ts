import type { AnyRouter } from "@trpc/server";
import { Hono } from "hono";
import { requestId } from "hono/request-id";
import { AppError } from "./core/errors/app-error.ts";
import { mountFresh } from "./core/http/fresh.ts";
import { mountHealth } from "./core/http/health.ts";
import { answerError, withContext } from "./core/http/request.ts";
import { withBodyLimit, withCors, withOriginCheck, withSecureHeaders } from "./core/http/security.ts";
import { serveTrpc, trpcPath } from "./core/http/trpc.ts";
import { mountDevMail } from "./core/mail/dev-mail.tsx";
import type { HonoEnv } from "./core/modules.ts";
import { appRouter, modules } from "./modules/registry.ts";

/** The HTTP surface: middleware in order, then tRPC over `router`, then the routes that modules bring. */
export function createApp(router: AnyRouter): Hono<HonoEnv> {
  const hono = new Hono<HonoEnv>();
  hono.use(requestId({ limitLength: 64 }), withSecureHeaders, withCors, withContext, withOriginCheck, withBodyLimit);
  for (const { middleware } of modules) if (middleware) hono.use(middleware);
  mountHealth(hono);
  mountFresh(hono);
  if (DEV_TOOLS) mountDevMail(hono);
  hono.all(`${trpcPath}/*`, serveTrpc(router));
  for (const { routes } of modules) routes?.(hono);
  hono.notFound((c) => answerError(new AppError("NOT_FOUND", "No such route"), c));
  hono.onError((error, c) => answerError(error, c));
  return hono;
}

export const app = createApp(appRouter);
