import { randomBytes } from "node:crypto";
import { confirm, Refusal, runCommand } from "./cli.ts";
import { describeUrl, readTarget } from "./env.ts";
import { findLogins, loginRoles, setLogins } from "./logins.ts";
import { pendingMigrations } from "./migrate.ts";

const usage = `bun db:roles[:staging|:prod] [--origin-connection-limit <n>] [--yes]

Gives app_cached and app_direct a login with a new random password each, and prints the two commands that make the
Hyperdrives of the worker. The passwords are shown once, inside the commands.
  --origin-connection-limit  connections that each Hyperdrive may open: 5 to 20 on Workers Free, up to 100 on Paid (default 10)
  --yes                      replaces passwords that are in use without asking`;

/** The two `wrangler hyperdrive create` commands for a database whose roles have these passwords. */
export function hyperdriveCommands(
  url: string,
  passwords: Record<(typeof loginRoles)[number], string>,
  { environment, limit }: { environment: string; limit: number },
): string[] {
  return loginRoles.map((role) => {
    const address = new URL(url);
    address.username = role;
    address.password = passwords[role];
    // Of the address, Hyperdrive takes no options; it speaks TLS by itself.
    address.search = "";
    const name = `fairlead-${environment}-${role === "app_cached" ? "cached" : "direct"}`;
    const caching = role === "app_cached" ? "--max-age 60 --swr 15" : "--caching-disabled";
    const flags = `${caching} --origin-connection-limit ${limit}`;
    return `npx wrangler hyperdrive create ${name} --connection-string '${address.href}' ${flags}`;
  });
}

async function run(limitText: string, yes: boolean): Promise<void> {
  const target = readTarget();
  const { environment, databaseUrl } = target;
  const limit = Number(limitText);
  if (!Number.isInteger(limit) || limit < 5 || limit > 100) {
    throw new Refusal("--origin-connection-limit must be a number from 5 to 100.");
  }
  if (!databaseUrl) throw new Refusal("db:roles needs DATABASE_URL: the embedded database has no passwords.");
  if ((await pendingMigrations(databaseUrl)).length > 0) {
    throw new Refusal(
      `${describeUrl(databaseUrl)} has migrations to come, which make the roles: run db:migrate first.`,
    );
  }
  const inUse = await findLogins(databaseUrl);
  if (inUse.length > 0 && !yes)
    await confirm(`Replace the passwords of ${inUse.join(" and ")}? Hyperdrives that use them fail.`);
  const password = () => randomBytes(24).toString("base64url");
  const passwords = { app_cached: password(), app_direct: password() };
  await setLogins(databaseUrl, passwords);
  console.error(
    `${environment}: app_cached and app_direct at ${describeUrl(databaseUrl)} have new passwords. Run both:`,
  );
  const name = environment === "prod" ? "production" : environment;
  for (const line of hyperdriveCommands(databaseUrl, passwords, { environment: name, limit })) console.log(line);
  console.error(`Then put the ids they print into wrangler.toml, under [[env.${name}.hyperdrive]].`);
}

if (import.meta.main) {
  await runCommand({
    usage,
    options: {
      "origin-connection-limit": { type: "string", default: "10" },
      yes: { type: "boolean", default: false },
    },
    run: ({ yes, "origin-connection-limit": limit }) => run(limit, yes),
  });
}
