import type { AnyRouter } from "@trpc/server";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import type { Context as HonoContext } from "hono";
import { AppError } from "../errors/app-error.ts";
import { retryAfterOf, toAppError } from "../errors/http.ts";
import type { HonoEnv } from "../modules.ts";
import { logFailure } from "./request.ts";

export const trpcPath = "/api/trpc";
const maxBatchSize = 20;

/** Serves a router under `/api/trpc`. */
export function serveTrpc(router: AnyRouter): (c: HonoContext<HonoEnv>) => Promise<Response> {
  return async (c) => {
    refuseStreamedMutation(c.req.raw);
    const context = c.get("context");
    return fetchRequestHandler({
      endpoint: trpcPath,
      req: c.req.raw,
      router,
      maxBatchSize,
      async createContext({ info }) {
        // As tRPC reads the request: what is counted is what runs.
        context.calls.wanted = info.calls.length;
        return context;
      },
      responseMeta({ errors }) {
        const waits = errors.map((error) => retryAfterOf(toAppError(error)) ?? 0);
        const longest = Math.max(0, ...waits);
        return longest > 0 ? { headers: { "retry-after": String(longest) } } : {};
      },
      onError({ error }) {
        logFailure(toAppError(error), context.requestId);
      },
    });
  };
}

/** A streamed batch sends its headers before its mutations have run, so the writer would miss its freshness. */
function refuseStreamedMutation({ method, headers }: Request): void {
  const accepted = headers.get("trpc-accept") ?? headers.get("accept");
  if (method === "POST" && accepted?.includes("application/jsonl")) {
    throw new AppError("BAD_REQUEST", "Mutations cannot be streamed: use httpBatchLink for them", {
      reason: "streamed_mutation",
    });
  }
}
