import type { PgTable } from "drizzle-orm/pg-core";
import type { RuntimeRole } from "./roles.ts";

type ColumnName<T extends PgTable> = keyof T["_"]["columns"] & string;
type Columns<T extends PgTable> = "all" | readonly ColumnName<T>[];

interface RoleGrants<T extends PgTable> {
  select?: Columns<T>;
  insert?: Columns<T>;
  update?: Columns<T>;
  delete?: true;
}

type Grants<T extends PgTable> = Partial<Record<RuntimeRole, RoleGrants<T>>>;

/** The grants of one table, which go with its policies; `db:generate` turns them into SQL, `db:check` compares them. */
export class TableAccess {
  readonly table: PgTable;
  readonly grants: Partial<
    Record<
      RuntimeRole,
      {
        select?: "all" | readonly string[];
        insert?: "all" | readonly string[];
        update?: "all" | readonly string[];
        delete?: true;
      }
    >
  >;

  constructor(table: PgTable, grants: TableAccess["grants"]) {
    this.table = table;
    this.grants = grants;
  }
}

/** Declares what each role may do with `table`, column by column; a role that is left out may do nothing. */
export function access<T extends PgTable>(table: T, grants: Grants<T>): TableAccess {
  return new TableAccess(table, grants);
}
