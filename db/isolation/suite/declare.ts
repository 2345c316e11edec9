import type { InferInsertModel } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import type { TableAccess } from "../../schema/access.ts";
import type { RuntimeRole } from "../../schema/index.ts";
import type { Actor } from "./world.ts";

export const verbs = ["select", "insert", "update", "delete"] as const;
export type Verb = (typeof verbs)[number];

type Row<T extends PgTable> = InferInsertModel<T>;

/** Whether the actor reaches the row. Says what is meant, in terms of rows and people, never how a policy says it. */
export type Scope<R> = (row: R, actor: Actor) => boolean;
type Rights<R> = Scope<R> | Partial<Record<Verb, Scope<R>>>;

export interface Deleted {
  kind: "organization" | "user";
  id: string;
}

interface Declaration<R> {
  /** Whose a row is: the columns that name its organization, its user, or both. Absent: nobody's. */
  owner?: { organization?: keyof R & string; user?: keyof R & string };
  /** Rows of several owners and in several states. */
  rows: R[];
  /** For each role that has a grant: which rows. */
  reaches: Partial<Record<RuntimeRole, Rights<R>>>;
  /** Which rows go when an organization or a user is deleted for good; default: those that it owns. */
  goes?: (row: R, deleted: Deleted) => boolean;
  /** Foreign keys that may point at another tenant's row, by their first own column; why. */
  pointsFreely?: Record<string, string>;
  /** Broken policies that let nobody reach more or less, by `policy: what was broken`; why. */
  equivalent?: Record<string, string>;
}

/** Who reaches which rows of one table: reviewed by people, held against grants and policies by the suite. */
export class TableIsolation {
  readonly table: PgTable;
  readonly access: TableAccess;
  readonly declaration: Declaration<Record<string, unknown>>;

  constructor(access: TableAccess, declaration: Declaration<Record<string, unknown>>) {
    this.table = access.table;
    this.access = access;
    this.declaration = declaration;
  }

  /** The scope of a verb; null where the role has no grant. @throws where a grant lacks its scope, or the other way. */
  scope(role: RuntimeRole, verb: Verb): Scope<Record<string, unknown>> | null {
    const rights = this.declaration.reaches[role];
    const declared = typeof rights === "function" ? rights : rights?.[verb];
    const granted = this.access.grants[role]?.[verb];
    if (!granted && typeof rights !== "function" && declared) throw new Error(`${role} has no grant to ${verb}`);
    if (!granted) return null;
    if (!declared) throw new Error(`${role} may ${verb}: declare which rows`);
    return declared;
  }
}

/** Declares who reaches which rows of the table that `access` is about. */
export function isolation<T extends PgTable>(
  [table, tableAccess]: [T, TableAccess],
  declaration: Declaration<Row<T>>,
): TableIsolation {
  if (tableAccess.table !== table) throw new Error("the access() of another table");
  // The rows are the table's own, so the scopes get what they are typed for.
  return new TableIsolation(tableAccess, declaration as unknown as Declaration<Record<string, unknown>>);
}

export const all = () => true;
export const own =
  <K extends string>(column: K) =>
  (row: { [key in K]?: unknown }, { sub }: Actor) =>
    sub !== undefined && row[column] === sub;
export const tenant = (row: { organizationId?: unknown }, { org }: Actor) =>
  org !== undefined && row.organizationId === org;
