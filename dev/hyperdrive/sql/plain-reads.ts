import { parseSync } from "libpg-query";
import type { Bytes } from "../wire/protocol.ts";

/** All that a plain read is made of: no call, no cast, no view of its own, nothing that writes, locks or names another operator. */
const NODES = new Set(
  "SelectStmt ResTarget ColumnRef String A_Star RangeVar A_Expr BoolExpr NullTest ParamRef A_Const SortBy List".split(
    " ",
  ),
);
const FORBIDDEN = new Set(["intoClause", "withClause", "larg", "rarg", "useOp", "valuesLists", "catalogname"]);
/** Their names; whether they mean Postgres' own operators is for the origin to say. */
export const COMPARISONS: readonly string[] = ["=", "<>", "<", ">", "<=", ">="];
const NAME = /^[A-Za-z_][A-Za-z0-9_$]*$/;
const LONGEST = 10_000;

/**
 * The tables of a SELECT that does nothing but compare and show their columns, as SQL names; null for every other text.
 * Whether they are tables, and nothing more, the text does not say. Needs libpg-query to be loaded.
 */
export function plainTables(sql: Bytes): string[] | null {
  // Neither an encoding in which a byte of a character looks like ASCII nor what a backslash escapes must be misread.
  if (sql.length > LONGEST || /[^\x20-\x7e\s]|\\/.test(sql)) return null;
  try {
    const { stmts = [] } = parseSync(sql);
    const tables: string[] = [];
    if (stmts.length !== 1 || !isPlain(stmts[0]?.stmt, tables)) return null;
    return tables.length === 0 ? null : tables;
  } catch {
    return null;
  }
}

function isPlain(node: unknown, tables: string[]): boolean {
  if (Array.isArray(node)) return node.every((item) => isPlain(item, tables));
  if (typeof node !== "object" || node === null) return true;
  return Object.entries(node).every(([key, value]) => {
    if (FORBIDDEN.has(key)) return false;
    if (/^[A-Z]/.test(key) && !(NODES.has(key) && isAllowed(key, value, tables))) return false;
    return isPlain(value, tables);
  });
}

function isAllowed(kind: string, node: unknown, tables: string[]): boolean {
  switch (kind) {
    case "ColumnRef":
      // `t.f` may call a function f with the row of t.
      return namesIn(field(node, "fields")).length <= 1;
    case "A_Expr": {
      const [operator, ...more] = namesIn(field(node, "name"));
      return more.length === 0 && COMPARISONS.includes(operator ?? "") && isComparison(field(node, "kind"));
    }
    case "RangeVar": {
      const names = [field(node, "schemaname"), field(node, "relname")].filter((name) => name !== undefined);
      if (!names.every((name) => typeof name === "string" && NAME.test(name))) return false;
      tables.push(names.map((name) => `"${name}"`).join("."));
      return true;
    }
    default:
      return true;
  }
}

function isComparison(kind: unknown): boolean {
  return kind === "AEXPR_OP" || kind === "AEXPR_IN";
}

/** The names in a list; `t.*` has one. */
function namesIn(list: unknown): string[] {
  const items = Array.isArray(list) ? list : [];
  return items.flatMap((item) => (field(item, "String") === undefined ? [] : [String(nameOf(item))]));
}

function nameOf(item: unknown): unknown {
  return field(field(item, "String"), "sval");
}

function field(node: unknown, name: string): unknown {
  return typeof node === "object" && node !== null ? Reflect.get(node, name) : undefined;
}
