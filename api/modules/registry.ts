import { addCallerSources } from "../core/context.ts";
import type { Module } from "../core/modules.ts";
import { router } from "../core/procedures.ts";
import * as domains from "./index.ts";

type Domains = (typeof domains)[keyof typeof domains];
type Intersection<Union> = (Union extends unknown ? (member: Union) => void : never) extends (all: infer All) => void
  ? All
  : never;
type Routers = Intersection<Domains["routers"]>;

/** Every domain's face. */
export const modules: Module[] = Object.values(domains);
for (const { compose } of modules) compose?.(modules);
addCallerSources(modules.flatMap(({ callers }) => callers ?? []));

/** The whole tRPC API, composed of what the domains bring. */
export const appRouter = router(
  // Object.assign loses which routers it merged; the intersection says it again.
  Object.assign({}, ...modules.map((module) => module.routers)) as Routers,
);
export type AppRouter = typeof appRouter;
