import { getTableColumns, is } from "drizzle-orm";
import { toSnakeCase } from "drizzle-orm/casing";
import { getTableConfig, type PgColumn, PgTable } from "drizzle-orm/pg-core";

export interface ErdColumn {
  name: string;
  /** As Mermaid takes it: without spaces. */
  type: string;
  /** PK, FK, UK. */
  keys: string[];
  isNullable: boolean;
}

export interface ErdTable {
  name: string;
  columns: ErdColumn[];
}

export interface ErdReference {
  from: string;
  to: string;
  columns: string[];
  /** The referring row may refer to nothing. */
  isOptional: boolean;
  /** At most one row refers to each. */
  isSingle: boolean;
}

/** What a diagram of one domain shows. */
export interface ErdModel {
  tables: ErdTable[];
  /** Tables of other domains that this one refers to, with the columns referred to. */
  neighbours: ErdTable[];
  references: ErdReference[];
}

/** Reads the tables among a schema file's exports. */
export function modelOf(exported: Record<string, unknown>): ErdModel {
  const tables = Object.values(exported).filter((value): value is PgTable => is(value, PgTable));
  const references = tables.flatMap(referencesOf);
  const own = tables.map(tableOf);
  const neighbours = new Map<string, ErdTable>();
  for (const { target } of references) {
    const table = tableOf(target);
    const isOwn = own.some(({ name }) => name === table.name);
    if (!isOwn)
      neighbours.set(table.name, { ...table, columns: table.columns.filter(({ keys }) => keys.includes("PK")) });
  }
  return {
    tables: own,
    neighbours: [...neighbours.values()],
    references: references.map(({ reference }) => reference),
  };
}

function nameOf(column: PgColumn): string {
  return column.keyAsName ? toSnakeCase(column.name) : column.name;
}

function tableOf(table: PgTable): ErdTable {
  const { name, primaryKeys, foreignKeys, uniqueConstraints } = getTableConfig(table);
  const primary = new Set(primaryKeys.flatMap(({ columns }) => columns.map(nameOf)));
  const foreign = new Set(foreignKeys.flatMap((key) => key.reference().columns.map(nameOf)));
  const unique = new Set(uniqueConstraints.flatMap(({ columns }) => (columns.length === 1 ? columns.map(nameOf) : [])));
  const columns = Object.values(getTableColumns(table)).map((column) => {
    const columnName = nameOf(column);
    const marks = {
      PK: column.primary || primary.has(columnName),
      FK: foreign.has(columnName),
      UK: column.isUnique || unique.has(columnName),
    };
    const keys = Object.entries(marks).flatMap(([key, holds]) => (holds ? [key] : []));
    const type = column
      .getSQLType()
      .replace(/ collate .*/, "")
      .replace(/ ?\(\d+\)| with time zone/g, (part) => (part.startsWith(" with") ? "tz" : ""));
    return { name: columnName, type, keys, isNullable: !column.notNull && !marks.PK };
  });
  return { name, columns };
}

function referencesOf(table: PgTable): { reference: ErdReference; target: PgTable }[] {
  const { name, foreignKeys, primaryKeys, uniqueConstraints } = getTableConfig(table);
  return foreignKeys.map((key) => {
    const { columns, foreignTable } = key.reference();
    const names = columns.map(nameOf);
    const isKey = (other: PgColumn[]) =>
      other.length === names.length && other.every((column) => names.includes(nameOf(column)));
    const reference: ErdReference = {
      from: name,
      to: getTableConfig(foreignTable).name,
      columns: names,
      isOptional: columns.some((column) => !column.notNull),
      isSingle:
        [...primaryKeys, ...uniqueConstraints].some((other) => isKey(other.columns)) ||
        (columns.length === 1 && columns.every((column) => column.primary || column.isUnique)),
    };
    return { reference, target: foreignTable };
  });
}
