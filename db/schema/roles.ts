import { sql } from "drizzle-orm";
import { pgRole } from "drizzle-orm/pg-core";

/** Login roles of the two bindings. */
export const appCached = pgRole("app_cached").existing();
export const appDirect = pgRole("app_direct").existing();

/** Roles that one transaction takes on, through `ctx.rls` and `asService`. */
export const authenticated = pgRole("authenticated").existing();
export const support = pgRole("support").existing();
export const admin = pgRole("admin").existing();
export const anonymous = pgRole("anonymous").existing();
export const service = pgRole("service").existing();

/** Owner of the functions that run before there is a caller. */
export const authResolver = pgRole("auth_resolver").existing();

/** Every role that runs at runtime: owns no table, cannot bypass row-level security. */
export const runtimeRoles = [
  "app_cached",
  "app_direct",
  "authenticated",
  "support",
  "admin",
  "anonymous",
  "service",
  "auth_resolver",
] as const;
export type RuntimeRole = (typeof runtimeRoles)[number];

/** The caller's user id, organization and API key inside a policy; `select` makes Postgres evaluate them once per statement. */
export const authUid = sql`(select auth.uid())`;
export const authOrg = sql`(select auth.org())`;
export const authKey = sql`(select auth.key())`;
