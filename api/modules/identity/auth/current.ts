import { AsyncLocalStorage } from "node:async_hooks";
import type { Context } from "../../../core/context.ts";
import type { Db } from "../../../core/database/doors.ts";

const requests = new AsyncLocalStorage<Context>();

/** Runs `work` for the request of `context`; everything that better-auth calls meanwhile finds it. */
export function withRequest<T>(context: Context, work: () => Promise<T>): Promise<T> {
  return requests.run(context, work);
}

/** The request that the running code serves. */
export function currentRequest(): Context {
  const context = requests.getStore();
  if (!context) throw new Error("better-auth ran outside a request");
  return context;
}

/** Stands for the current request's direct door: better-auth is built once, its connections live for one request. */
export const currentDb = new Proxy({} as Db, {
  get(_, property) {
    const { dbDirect } = currentRequest();
    const value: unknown = Reflect.get(dbDirect, property);
    return typeof value === "function" ? value.bind(dbDirect) : value;
  },
});
