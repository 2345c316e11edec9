import { type SQL, sql } from "drizzle-orm";
import { type AnyPgColumn, bigint, customType, type PgColumn, timestamp } from "drizzle-orm/pg-core";
import { TypeID, typeid } from "typeid-js";

/** `text collate "C"`: TypeIDs and other machine strings, compared byte by byte, so that order is the same everywhere. */
export const idText = customType<{ data: string }>({ dataType: () => 'text collate "C"' });

/** A new TypeID: `prefix` + UUIDv7, e.g. `user_01h455vb4pex5vsknk084sn02q`; sorts by time of creation. */
export function newId(prefix: string): string {
  return typeid(prefix).toString();
}

/** The smallest TypeID that `newId(prefix)` gives at `time` or later: finds what is newer by its primary key. */
export function idSince(prefix: string, time: Date): string {
  const hex = time.getTime().toString(16).padStart(12, "0");
  return TypeID.fromUUID(prefix, `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`).toString();
}

/** Primary key column `id`, filled with a TypeID of `prefix` unless the caller brings its own. */
export function idColumn(prefix: string) {
  return idText()
    .primaryKey()
    .$defaultFn(() => newId(prefix));
}

/** A point in time, UTC, millisecond precision as JavaScript's `Date` has it. */
export function instant() {
  return timestamp({ withTimezone: true, precision: 3, mode: "date" });
}

/** `createdAt` and `updatedAt`; the latter moves on every update. */
export function timestamps() {
  return {
    createdAt: instant().notNull().defaultNow(),
    updatedAt: instant()
      .notNull()
      .defaultNow()
      .$onUpdate(() => new Date()),
  };
}

/** The nullable `deletedAt` of a table with soft delete. Read such a table through `notDeleted` or `withDeleted`. */
export function softDelete() {
  return { deletedAt: instant() };
}

type SoftDeleted = { deletedAt: PgColumn };

/** Filter for live rows of a table with soft delete. */
export function notDeleted(table: SoftDeleted): SQL {
  return sql`${table.deletedAt} is null`;
}

/** Says that a read of a table with soft delete means its deleted rows too. */
export function withDeleted(_table: SoftDeleted): SQL {
  return sql`true`;
}

/** Money in minor units (VND, cents) as a safe integer; pair it with `moneyCheck`. */
export function money() {
  return bigint({ mode: "number" });
}

/** Range in which a bigint is an exact JavaScript number: ±(2^53 − 1). */
export function moneyCheck(column: AnyPgColumn): SQL {
  return sql`${column} between -9007199254740991 and 9007199254740991`;
}

/** Body of a CHECK that holds a text column to a tuple of literals. */
export function oneOf(column: AnyPgColumn, values: readonly string[]): SQL {
  const literals = values.map((value) => `'${value.replaceAll("'", "''")}'`).join(", ");
  return sql`${column} in (${sql.raw(literals)})`;
}
