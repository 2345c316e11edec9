import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { rootFolder } from "@repo/db/scripts/paths";

/**
 * Makes `.dev.vars`, the worker's local settings, from its example unless it is there; AUTH_SECRET becomes random.
 * Returns whether it was made.
 */
export function ensureDevVars(folder = rootFolder): boolean {
  const path = join(folder, ".dev.vars");
  if (existsSync(path)) return false;
  const secret = randomBytes(32).toString("base64url");
  const text = readFileSync(join(folder, ".dev.vars.example"), "utf8").replace(
    /^AUTH_SECRET=.*$/m,
    `AUTH_SECRET=${secret}`,
  );
  writeFileSync(
    path,
    text.replace(/^# Copied to .*\n/m, "# Made by `bun dev`. Every setting: docs/environment-variables.md\n"),
    {
      flag: "wx",
      mode: 0o600,
    },
  );
  return true;
}

/** The settings in `.dev.vars`. */
export function readDevVars(folder = rootFolder): NodeJS.Dict<string> {
  return parseEnv(readFileSync(join(folder, ".dev.vars"), "utf8"));
}
