import { expect } from "vitest";
import type { Context } from "../core/context.ts";
import { createCallerFactory, type ProcedureMeta } from "../core/procedures.ts";
import { appRouter } from "../modules/registry.ts";
import { testRuntime, withContext } from "./context.ts";

/** Every procedure as a function; each call is a request of its own, held to its budget of trips. */
export type Api = ReturnType<typeof apiFor>;

interface Definition {
  _def: { type: "query" | "mutation" | "subscription"; inputs: unknown[]; meta?: ProcedureMeta };
}

/** Each procedure of the API by its path, e.g. `resumes.create`. */
export const procedures = appRouter._def.procedures as unknown as Record<string, Definition>;

/** Calls procedures as whoever the headers speak for; `overrides`: bindings in the place of the test's own. */
export function apiFor(headers: Record<string, string>, overrides?: Record<string, unknown>) {
  const createCaller = createCallerFactory(appRouter);
  type Caller = ReturnType<typeof createCaller>;
  return pathProxy([], (path, input) => invoke({ headers, overrides }, path, input)) as Caller;
}

/** One call in a request of its own, with the trips that it took. Over budget fails the test. */
export function measure(headers: Record<string, string>, path: string, input: unknown): Promise<Measured> {
  return measureAs({ headers, overrides: undefined }, path, input);
}

interface Measured {
  result: unknown;
  trips: number;
}

interface Who {
  headers: Record<string, string>;
  overrides: Record<string, unknown> | undefined;
}

function measureAs({ headers, overrides }: Who, path: string, input: unknown): Promise<Measured> {
  const measured = async (context: Context) => {
    const result = await reach(createCallerFactory(appRouter)(context), path.split("."))(input);
    const { trips = -1, maxTrips = trips } = procedures[path]?._def.meta ?? {};
    expect(context.trips.total, `trips of ${path}`).toBeLessThanOrEqual(maxTrips);
    return { result, trips: context.trips.total };
  };
  return withContext(headers, measured, overrides ? testRuntime(overrides) : {});
}

async function invoke(who: Who, path: string[], input: unknown): Promise<unknown> {
  const { result } = await measureAs(who, path.join("."), input);
  return result;
}

type Procedure = (input: unknown) => Promise<unknown>;

function reach(caller: unknown, path: string[]): Procedure {
  return path.reduce((place, key) => Reflect.get(place as object, key), caller) as Procedure;
}

function pathProxy(path: string[], call: (path: string[], input: unknown) => unknown): unknown {
  return new Proxy(() => {}, {
    get: (_, key) => (typeof key === "string" ? pathProxy([...path, key], call) : undefined),
    apply: (_, __, [input]) => call(path, input),
  });
}
