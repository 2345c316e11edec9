import type { AnyRouter } from "@trpc/server";
import type { Module } from "../../core/modules.ts";
import type { ProcedureMeta } from "../../core/procedures.ts";
import { unknownScopes } from "./errors.ts";

let scopes: ReadonlySet<string> = new Set();

/** Collects the scopes that the procedures of all modules name; there is no list of them anywhere. */
export function composeScopes(modules: readonly Module[]): void {
  const metas = modules.flatMap(({ routers }) => Object.values(routers).flatMap(metasOf));
  scopes = new Set(metas.flatMap((meta) => meta?.scope || []).sort());
}

/** Every scope that a key may have. */
export function knownScopes(): string[] {
  return [...scopes];
}

/** @throws AppError BAD_REQUEST */
export function assertKnown(wanted: string[]): void {
  const unknown = wanted.filter((scope) => !scopes.has(scope));
  if (unknown.length) throw unknownScopes(unknown);
}

function metasOf(router: AnyRouter): (ProcedureMeta | undefined)[] {
  // tRPC types a router's procedures by path; each carries the meta that core/procedures.ts asks for.
  const procedures = router._def.procedures as Record<string, { _def: { meta?: ProcedureMeta } }>;
  return Object.values(procedures).map(({ _def }) => _def.meta);
}
