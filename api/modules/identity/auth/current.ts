import { AsyncLocalStorage } from "node:async_hooks";
import type { Context } from "../../../core/context.ts";
import type { Db } from "../../../core/database/doors.ts";

/** What better-auth is at. */
interface Errand {
  context: Context;
  /** Path of the endpoint, its parameters by name: `/callback/:id`. */
  endpoint: string;
}

const errands = new AsyncLocalStorage<Errand>();

/** Runs `work` for a request; everything that better-auth calls meanwhile finds it. */
export function withRequest<T>(errand: Errand, work: () => Promise<T>): Promise<T> {
  return errands.run(errand, work);
}

function currentErrand(): Errand {
  const errand = errands.getStore();
  if (!errand) throw new Error("better-auth ran outside a request");
  return errand;
}

/** The request that the running code serves. */
export function currentRequest(): Context {
  return currentErrand().context;
}

export function currentEndpoint(): string {
  return currentErrand().endpoint;
}

/** Stands for the current request's direct door: better-auth is built once, its connections live for one request. */
export const currentDb = new Proxy({} as Db, {
  get(_, property) {
    const { dbDirect } = currentRequest();
    const value: unknown = Reflect.get(dbDirect, property);
    return typeof value === "function" ? value.bind(dbDirect) : value;
  },
});
