import { WireError } from "../wire/errors.ts";
import type { Bytes } from "../wire/protocol.ts";
import { type ScannedStatement, scanSql } from "./scan.ts";

const REFUSED_COMMANDS = new Set(["prepare", "execute", "deallocate", "discard", "listen", "notify", "unlisten"]);
const ADVISORY_LOCK = /^pg_(?:try_)?advisory_/;
const SUSPECT = /prepare|execute|deallocate|discard|listen|notify|advisory_/i;

/**
 * The error that a pooled door answers to SQL Hyperdrive does not support, or null.
 * Source: Cloudflare's list of unsupported Postgres features (SQL-level prepared statements, LISTEN and NOTIFY, advisory locks).
 */
export function refusal(sql: Bytes): WireError | null {
  if (!SUSPECT.test(sql)) return null;
  for (const statement of scanSql(sql)) {
    const feature = refusedFeature(statement);
    if (feature !== null) {
      return new WireError({
        severity: "ERROR",
        code: "0A000",
        message: `Hyperdrive does not support ${feature}.`,
        detail: "Hyperdrive pools by transaction: a session belongs to somebody else as soon as the transaction ends.",
        hint: "Use the driver's own prepared statements; tools that need a session connect to the door named origin.",
      });
    }
  }
  return null;
}

function refusedFeature({ words }: ScannedStatement): string | null {
  const command = words[0];
  if (command !== undefined && REFUSED_COMMANDS.has(command)) return command.toUpperCase();
  const lock = words.find((word) => ADVISORY_LOCK.test(word));
  return lock === undefined ? null : `advisory locks (${lock})`;
}

export type CopyIn = "no" | "alone" | "among others";

/**
 * Whether SQL asks the client for COPY data, and whether that statement is the only one. Postgres takes STDOUT for STDIN,
 * too. Where a setting decides what a backslash escapes, it may be either way.
 */
export function copiesIn(sql: Bytes): CopyIn {
  if (!/copy/i.test(sql) || !/std(?:in|out)/i.test(sql)) return "no";
  const statements = scanSql(sql);
  const [ours, others] = [statements.filter(isCopyIn), sql.includes("\\") ? scanSql(sql, true).filter(isCopyIn) : []];
  if (ours.length === 0 && others.length === 0) return "no";
  return statements.length === 1 && ours.length === 1 && others.length <= 1 ? "alone" : "among others";
}

function isCopyIn({ words }: ScannedStatement): boolean {
  return words[0] === "copy" && words.some((word, at) => /^std(?:in|out)$/.test(word) && words[at - 1] === "from");
}
