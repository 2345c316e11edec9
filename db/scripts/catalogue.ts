import { runtimeRoles } from "../schema/roles.ts";
import { catalogueSql } from "./catalogue-sql.ts";

/** Runs one statement with parameters: over a connection, or in PGlite. */
export type Query = (sql: string, parameters: unknown[]) => Promise<Record<string, unknown>[]>;

/** What a database consists of: an object's name, e.g. `column user.email`, and all that holds for it. */
export type Catalogue = Record<string, string>;

/** Reads the catalogue, as the schema's owner. */
export async function readCatalogue(query: Query): Promise<Catalogue> {
  const rows = await query(catalogueSql, [[...runtimeRoles]]);
  const entries = rows.map(({ name, value }): [string, string] => [String(name), String(value)]);
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** One difference between what is and what should be. */
export interface Difference {
  name: string;
  /** Absent: there is no such object. */
  found?: string;
  /** Absent: there should be none. */
  expected?: string;
}

/** What would have to change in `found` to make it `expected`, by name. */
export function compareCatalogues(found: Catalogue, expected: Catalogue): Difference[] {
  const names = [...new Set([...Object.keys(found), ...Object.keys(expected)])].sort();
  return names
    .filter((name) => found[name] !== expected[name])
    .map((name) => ({
      name,
      ...(found[name] === undefined ? {} : { found: found[name] }),
      ...(expected[name] === undefined ? {} : { expected: expected[name] }),
    }));
}

/** A difference for people: one line, two more where both sides have something to show. */
export function describeDifference({ name, found, expected }: Difference): string {
  if (found === undefined) return `missing: ${name}`;
  if (expected === undefined) return `unknown to the migrations: ${name}`;
  if (name.startsWith("function ")) return `changed: ${name}`;
  return `changed: ${name}\n  is      ${found}\n  should  ${expected}`;
}
