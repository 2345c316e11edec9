import type { ParseResult } from "libpg-query";

/** What a statement holds that decides whether its answer may be cached. */
export interface QueryTraits {
  /** Type of the statement's node, e.g. `SelectStmt`. */
  kind: string;
  /** Names of the functions it calls, without schema, each once. */
  functions: readonly string[];
  /** Keywords that stand for stable functions, e.g. `current_date`. */
  valueFunctions: readonly string[];
  /** A clause FOR UPDATE, FOR SHARE and the like. */
  locks: boolean;
  /** An INSERT, UPDATE, DELETE or MERGE anywhere, as in a WITH. */
  writes: boolean;
  /** SELECT … INTO makes a table. */
  makesTable: boolean;
}

const WRITES = new Set(["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"]);

/** The traits of each statement of a parsed text. */
export function traitsOf(parsed: ParseResult): QueryTraits[] {
  return (parsed.stmts ?? []).map(({ stmt }) => {
    const found: Found = { functions: new Set(), valueFunctions: new Set(), locks: false, writes: false, into: false };
    visit(stmt, found);
    const { functions, valueFunctions, locks, writes, into } = found;
    return {
      kind: Object.keys(stmt ?? {})[0] ?? "",
      functions: [...functions],
      valueFunctions: [...valueFunctions],
      locks,
      writes,
      makesTable: into,
    };
  });
}

interface Found {
  functions: Set<string>;
  valueFunctions: Set<string>;
  locks: boolean;
  writes: boolean;
  into: boolean;
}

function visit(node: unknown, found: Found): void {
  if (Array.isArray(node)) {
    for (const item of node) visit(item, found);
  } else if (typeof node === "object" && node !== null) {
    for (const [key, value] of Object.entries(node)) {
      note(key, value, found);
      visit(value, found);
    }
  }
}

function note(key: string, value: unknown, found: Found): void {
  if (WRITES.has(key)) found.writes = true;
  else if (key === "LockingClause") found.locks = true;
  else if (key === "intoClause") found.into = true;
  else if (key === "FuncCall") found.functions.add(lastName(value));
  else if (key === "SQLValueFunction") found.valueFunctions.add(keyword(value));
}

function lastName(call: unknown): string {
  const names = field(call, "funcname");
  const last = Array.isArray(names) ? names.at(-1) : undefined;
  return String(field(field(last, "String"), "sval") ?? "");
}

/** `SVFOP_CURRENT_TIMESTAMP_N` is `current_timestamp`. */
function keyword(node: unknown): string {
  return String(field(node, "op") ?? "")
    .replace(/^SVFOP_/, "")
    .replace(/_N$/, "")
    .toLowerCase();
}

function field(node: unknown, name: string): unknown {
  return typeof node === "object" && node !== null ? Reflect.get(node, name) : undefined;
}
