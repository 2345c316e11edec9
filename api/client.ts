import { createTRPCClient, httpBatchLink, type TRPCClient, TRPCClientError } from "@trpc/client";
import type { inferRouterInputs, inferRouterOutputs } from "@trpc/server";
import { createFreshness } from "./client/freshness.ts";
import type { ErrorCode } from "./core/errors/app-error.ts";
import type { AppRouter } from "./modules/registry.ts";

/** The zod inputs by domain, for forms. */
export * as inputs from "./modules/inputs.ts";
export type { AppRouter, ErrorCode };

/** What each procedure takes, by its path: `Inputs["resumes"]["create"]`. */
export type Inputs = inferRouterInputs<AppRouter>;
/** What each procedure answers, by its path. */
export type Outputs = inferRouterOutputs<AppRouter>;
export type Client = TRPCClient<AppRouter>;

type Headers = Record<string, string | undefined>;

export interface ClientOptions {
  /** Address of the API without a path, e.g. `https://api.example.com`. */
  url: string;
  /** Sent with every request, e.g. `authorization` or `x-organization`; a function is asked each time. */
  headers?: Headers | (() => Headers | Promise<Headers>);
  /** Default: the platform's. */
  fetch?: typeof fetch;
}

const maxItems = 20;
const maxUrlLength = 8000;

/**
 * A typed client of the API: `client.resumes.list.query({})`. Calls of the same tick travel as one request. After a
 * mutation it reads past the cache until everybody's cache has caught up, so that it always sees what it wrote.
 */
export function createClient(options: ClientOptions): Client {
  const origin = options.url.replace(/\/+$/, "");
  const send = options.fetch ?? ((...request) => fetch(...request));
  return createTRPCClient<AppRouter>({
    links: [
      httpBatchLink({
        url: `${origin}/api/trpc`,
        maxItems,
        maxURLLength: maxUrlLength,
        headers: async () => (typeof options.headers === "function" ? options.headers() : (options.headers ?? {})),
        fetch: createFreshness(origin, send),
      }),
    ],
  });
}

export interface ApiError {
  code: ErrorCode | "NETWORK";
  message: string;
  /** A machine-readable refinement of the code, e.g. `stale_version`. */
  reason?: string;
  /** The input field that the message speaks of. */
  field?: string;
  /** What to quote when asking for help. */
  requestId?: string;
}

/** What a failed call says; code `NETWORK` when no answer arrived. Undefined when the error is no failed call. */
export function apiErrorOf(error: unknown): ApiError | undefined {
  if (!(error instanceof TRPCClientError)) return undefined;
  const failure = error as TRPCClientError<AppRouter>;
  if (!failure.data) return { code: "NETWORK", message: failure.message };
  const { code, reason, field, requestId } = failure.data;
  return { code, message: failure.message, reason, field, requestId };
}
