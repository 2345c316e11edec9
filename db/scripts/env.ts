import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { Refusal } from "./cli.ts";
import { rootFolder } from "./paths.ts";

export const environments = ["dev", "test", "staging", "prod"] as const;
export type Environment = (typeof environments)[number];

const otherNames: Record<string, Environment> = { development: "dev", production: "prod" };

/** What a command works on. */
export interface Target {
  environment: Environment;
  /** Address of a Postgres, as its owner; absent: the embedded database of dev and test. */
  databaseUrl?: string;
}

interface Sources {
  /** The folder of the env files; default: the root of the repository. */
  folder?: string;
  /** The process's variables, which win over every file and take in what the files add. */
  variables?: Record<string, string | undefined>;
  /** Refuses staging and prod: the name of what is for local databases alone. */
  localOnly?: string;
}

/**
 * The environment named by ENVIRONMENT (then NODE_ENV; default dev), after loading `.env.{env}.local`, `.env.local` and
 * `.env`: the first that has a name wins.
 * @throws Refusal for an unknown environment, a malformed DATABASE_URL, or none for staging and prod.
 */
export function readTarget({ folder = rootFolder, variables = process.env, localOnly }: Sources = {}): Target {
  const environment = environmentOf(variables.ENVIRONMENT || variables.NODE_ENV || "dev");
  if (localOnly && !isLocal(environment)) {
    throw new Refusal(`${localOnly} is for local databases: refused for ${environment}.`);
  }
  for (const file of [`.env.${environment}.local`, ".env.local", ".env"]) {
    const path = join(folder, file);
    if (!existsSync(path)) continue;
    for (const [name, value] of Object.entries(parseEnv(readFileSync(path, "utf8")))) variables[name] ??= value;
  }
  const { DATABASE_URL: databaseUrl } = variables;
  if (databaseUrl) return { environment, databaseUrl: checkedUrl(databaseUrl) };
  if (isLocal(environment)) return { environment };
  throw new Refusal(`DATABASE_URL is not set for ${environment}: put it into .env.${environment}.local.`);
}

/** Whether data may be thrown away: never in staging or prod. */
export function isLocal(environment: Environment): boolean {
  return environment === "dev" || environment === "test";
}

/** Host, port and database of an address, for people: no user, no password. */
export function describeUrl(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}

/** Address of the Postgres that `db:start` runs in Docker. */
export function composeUrl(variables: Sources["variables"] = process.env): string {
  return `postgres://postgres:password@127.0.0.1:${variables.DB_PORT || "5432"}/fairlead`;
}

function environmentOf(name: string): Environment {
  const known = environments.find((environment) => environment === (otherNames[name] ?? name));
  if (known) return known;
  throw new Refusal(`ENVIRONMENT is "${name}": it must be one of ${environments.join(", ")}.`);
}

/** The address as every driver here takes it. @throws Refusal unless it is the address of a Postgres. */
export function checkedUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isPostgres = parsed?.protocol === "postgres:" || parsed?.protocol === "postgresql:";
  if (parsed?.hostname && isPostgres && isWhole(parsed)) {
    return parsed.searchParams.has("channel_binding") ? withoutChannelBinding(parsed) : url.trim();
  }
  throw new Refusal("DATABASE_URL must be an address such as postgres://user:password@host:5432/database.");
}

/** Neon's addresses ask for it, and the drivers lack it: a verified certificate keeps out whoever it would keep out. */
function withoutChannelBinding(url: URL): string {
  if (url.searchParams.get("channel_binding") === "require") url.searchParams.set("sslmode", "verify-full");
  url.searchParams.delete("channel_binding");
  return url.href;
}

/** This process's variables with some of their own, for a program that it starts. */
export function variablesWith(extra: Record<string, string>): NodeJS.ProcessEnv {
  return { ...process.env, ...extra };
}

/** A password with / or # or ? in it ends the address early; what follows would be shown as the database's name. */
function isWhole({ username, password, pathname, search, hash }: URL): boolean {
  try {
    decodeURIComponent(username + password + pathname);
  } catch {
    return false;
  }
  return !/@/.test(pathname + search) && hash === "";
}
