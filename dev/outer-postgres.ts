import { createHmac } from "node:crypto";
import { Refusal } from "@repo/db/scripts/cli";
import { describeUrl } from "@repo/db/scripts/env";
import { findLogins, loginRoles, setLogins } from "@repo/db/scripts/logins";
import postgres from "postgres";
import { type Doors, doorsAt } from "./doors.ts";
import { createPostgresOrigin, type InstrumentOptions, type Origin, startHyperdrive } from "./hyperdrive/index.ts";
import type { DoorPorts } from "./lock.ts";
import { localPassword } from "./settings.ts";

interface OuterOptions {
  /** Absent: any free ports. */
  ports?: DoorPorts;
  /** Cache, latency, faults and the HTTP face; absent: doors and pool alone. */
  instruments?: InstrumentOptions;
}

/** Starts the local Hyperdrive in front of a Postgres. `url` is its owner's. */
export async function startOnPostgres(url: string, { ports, instruments }: OuterOptions = {}): Promise<Doors> {
  const origin = originAt(url);
  const hyperdrive = await startHyperdrive({
    origin,
    password: localPassword,
    ...instruments,
    ...(ports ? { ports } : {}),
  });
  return {
    ...doorsAt(hyperdrive.ports, decodeURIComponent(new URL(url).username)),
    hyperdrive,
    async close() {
      await hyperdrive.close();
      await origin.close();
    },
  };
}

function originAt(url: string): Origin {
  try {
    return createPostgresOrigin(url, { passwords: passwordsAt(url) });
  } catch (error) {
    throw new Refusal(`DATABASE_URL: ${error instanceof Error ? error.message : error}`);
  }
}

/**
 * Lets the local Hyperdrive log in as the worker's two roles, which the migrations have made.
 * @throws Refusal when they have passwords that it does not know: those of a deployed worker stay as they are.
 */
export async function ensureLogins(url: string): Promise<void> {
  const passwords = passwordsAt(url);
  const works = await Promise.all(loginRoles.map((role) => canLogIn(url, role, passwords[role])));
  if (works.every(Boolean)) return;
  const known = await findLogins(url);
  if (known.length > 0) {
    const names = known.join(" and ");
    throw new Refusal(
      `${names} at ${describeUrl(url)} have passwords already: point DATABASE_URL at a database of your own.`,
    );
  }
  await setLogins(url, passwords);
}

/** Whoever knows the owner's password knows these, so that several people may share a database. */
function passwordsAt(url: string): Record<(typeof loginRoles)[number], string> {
  const of = (role: string) =>
    createHmac("sha256", new URL(url).password).update(`fairlead ${role}`).digest("base64url");
  return { app_cached: of("app_cached"), app_direct: of("app_direct") };
}

async function canLogIn(url: string, user: string, password: string): Promise<boolean> {
  const sql = postgres(url, { user, password, max: 1, connect_timeout: 10, onnotice: () => {} });
  try {
    await sql`select 1`;
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code.startsWith("28")) return false;
    throw error;
  } finally {
    await sql.end({ timeout: 5 });
  }
}
