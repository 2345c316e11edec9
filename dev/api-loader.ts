import { timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rootFolder } from "@repo/db/scripts/paths";
import { transformSync } from "esbuild";

interface Procedure {
  _def: { type: "query" | "mutation" | "subscription"; meta?: { trips: number; scope: string } };
}

/** What a procedure runs with, as far as we look into it. */
export interface CallContext {
  trips: { total: number };
}

export interface CallRuntime {
  env: object;
  requestId: string;
  waitUntil(promise: Promise<unknown>): void;
}

/** The parts of the API that `bun call` runs, by the files that they come from. */
export interface ApiParts {
  getEnv(bindings: object): object;
  createContext(runtime: CallRuntime, headers: Headers): Promise<CallContext>;
  closeContext(context: CallContext): void;
  createCallerFactory(router: unknown): (context: CallContext) => object;
  appRouter: { _def: { procedures: Record<string, Procedure> } };
  runBatch(jobs: unknown[], batch: object, runtime: CallRuntime): Promise<void>;
  modules: { jobs?: unknown[] }[];
}

/** Loads the API's sources into this process. They are compiled for workerd, so their types stay outside. */
export async function loadApi(): Promise<ApiParts> {
  resembleWorkerd();
  const files = ["core/env.ts", "core/context.ts", "core/procedures.ts", "core/jobs.ts", "modules/registry.ts"];
  const parts = await Promise.all(files.map((file) => import(pathToFileURL(join(rootFolder, "api", file)).href)));
  return Object.assign({}, ...parts) as ApiParts;
}

/** Gives this process what workerd and wrangler's build give the API, and Node lacks; before anything of it is imported. */
export function resembleWorkerd(): void {
  Object.assign(globalThis, { DEV_TOOLS: true });
  if (!("timingSafeEqual" in crypto.subtle))
    Object.defineProperty(crypto.subtle, "timingSafeEqual", { value: timingSafeEqual });
  const stub = "export class DurableObject {} export class WorkerEntrypoint {} export const env = {};";
  registerHooks({
    resolve(specifier, context, next) {
      if (!specifier.startsWith("cloudflare:")) return next(specifier, context);
      return { url: `data:text/javascript,${encodeURIComponent(stub)}`, shortCircuit: true };
    },
    load(url, context, next) {
      if (!url.endsWith(".tsx")) return next(url, context);
      const options = { loader: "tsx", jsx: "automatic", jsxImportSource: "hono/jsx" } as const;
      const { code } = transformSync(readFileSync(fileURLToPath(url), "utf8"), options);
      return { format: "module", source: code, shortCircuit: true };
    },
  });
}
