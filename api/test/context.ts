import { env as bindings, waitUntil } from "cloudflare:workers";
import { type Context, closeContext, createContext, type Runtime } from "../core/context.ts";
import { getEnv } from "../core/env.ts";

/** The worker's surroundings as a test has them; `overrides`: bindings and settings in the place of the test's own. */
export function testRuntime(overrides?: Record<string, unknown>): Runtime {
  return {
    env: getEnv(overrides ? { ...bindings, ...overrides } : bindings),
    requestId: crypto.randomUUID(),
    waitUntil: (promise) => waitUntil(promise),
  };
}

/** Runs `work` with a request's context and closes it. */
export async function withContext<T>(
  headers: HeadersInit,
  work: (context: Context) => Promise<T>,
  overrides: Partial<Runtime> = {},
): Promise<T> {
  const context = await createContext({ ...testRuntime(), ...overrides }, new Headers(headers));
  try {
    return await work(context);
  } finally {
    closeContext(context);
  }
}
