import { loadModule, parseSync } from "libpg-query";
import { type QueryTraits, traitsOf } from "../sql/query-tree.ts";
import type { CacheStatus } from "../watch/query-log.ts";
import type { Bytes } from "../wire/protocol.ts";
import { type FunctionTable, namedInText } from "./volatility.ts";

/** What Cloudflare's pages are silent about: each is cached, or not. */
export interface CacheRules {
  /** Single SELECTs by the simple protocol. */
  simpleProtocol: boolean;
  /** Results without a row. */
  emptyResults: boolean;
  /** Queries that call stable or volatile functions of one's own: a list of names cannot know them. */
  userFunctions: boolean;
}

export const PROFILES = {
  /** Caches what it is not sure about, so that a stale read shows up here first. */
  paranoid: { simpleProtocol: true, emptyResults: true, userFunctions: true },
  /** Caches only what the pages promise. */
  "strict-docs": { simpleProtocol: false, emptyResults: false, userFunctions: false },
} as const satisfies Record<string, CacheRules>;
export type Profile = keyof typeof PROFILES;

export type Verdict =
  | {
      isCacheable: true;
      /** Why Hyperdrive might not cache it all the same. */
      doubt?: string;
    }
  | { isCacheable: false; status: Exclude<CacheStatus, "hit" | "miss" | "disabled">; reason: string };

/** Cloudflare names the status `oversizedquery` but no size: this one is assumed. */
const LONGEST_QUERY = 1024 * 1024;
const VERDICTS_KEPT = 2000;
/** A longer text is judged anew each time: so many of them would fill the memory. */
const LONGEST_REMEMBERED = 16 * 1024;
const CACHEABLE: Verdict = { isCacheable: true };

/** Says of SQL text whether its answer may be cached. One parse per text; verdicts are remembered. */
export class Cacheability {
  readonly #rules: CacheRules;
  readonly #functions: FunctionTable;
  readonly #verdicts = new Map<Bytes, Verdict>();

  /** `functions`: what the origin's pg_proc says; while it is empty, only the text patterns count. */
  static async create(rules: CacheRules, functions: FunctionTable): Promise<Cacheability> {
    await loadModule();
    return new Cacheability(rules, functions);
  }

  private constructor(rules: CacheRules, functions: FunctionTable) {
    this.#rules = rules;
    this.#functions = functions;
  }

  /** The schema may have changed: think again. */
  forget(): void {
    this.#verdicts.clear();
  }

  judge(sql: Bytes): Verdict {
    const known = this.#verdicts.get(sql);
    if (known !== undefined) return known;
    const verdict = this.#judge(sql);
    const oldest = this.#verdicts.keys().next().value;
    if (this.#verdicts.size >= VERDICTS_KEPT && oldest !== undefined) this.#verdicts.delete(oldest);
    if (sql.length <= LONGEST_REMEMBERED) this.#verdicts.set(sql, verdict);
    return verdict;
  }

  #judge(sql: Bytes): Verdict {
    if (sql.length > LONGEST_QUERY) return no("oversizedquery", `the SQL is longer than ${LONGEST_QUERY} bytes`);
    const text = Buffer.from(sql, "latin1").toString("utf8");
    const statements = parse(text);
    if (typeof statements === "string") return no("parseerror", statements);
    const [statement] = statements;
    if (statement === undefined) return no("notaquery", "there is no statement");
    if (statements.length > 1) return no("multiplestatements", `${statements.length} statements in one text`);
    return refusedKind(statement) ?? this.#volatile(text, statement);
  }

  #volatile(text: string, { functions, valueFunctions }: QueryTraits): Verdict {
    const keyword = valueFunctions[0];
    if (keyword !== undefined) return no("volatile", `${keyword} is a stable function`);
    for (const name of functions) {
      const facts = this.#functions.find(name);
      if (facts?.isBuiltIn !== true || facts.volatility === "immutable" || facts.volatility === "mixed") continue;
      return no("volatile", `Postgres marks ${name}() as ${facts.volatility}`);
    }
    const named = namedInText(text);
    if (named !== null) return no("volatile", `the text names ${named}, if only in a comment or a constant`);
    return this.#ownFunctions(functions);
  }

  #ownFunctions(functions: readonly string[]): Verdict {
    for (const name of functions) {
      const facts = this.#functions.find(name);
      if (facts !== null && (facts.isBuiltIn || facts.volatility === "immutable")) continue;
      if (facts === null && this.#functions.size === 0) continue;
      const reason = `${name}() is a function of your own, marked ${facts?.volatility ?? "nobody knows what"}`;
      if (!this.#rules.userFunctions) return no("volatile", reason);
      return { isCacheable: true, doubt: `${reason}: the documentation says that such queries are not cached` };
    }
    return CACHEABLE;
  }
}

function refusedKind({ kind, locks, writes, makesTable }: QueryTraits): Verdict | null {
  if (kind !== "SelectStmt" && !writes) return no("notaquery", `${kind.replace(/Stmt$/, "")} is no query`);
  if (kind !== "SelectStmt") return no("uncacheable", "it writes");
  if (writes) return no("uncacheable", "a WITH in it writes");
  if (makesTable) return no("uncacheable", "SELECT INTO makes a table");
  return locks ? no("uncacheable", "it locks rows (FOR UPDATE or FOR SHARE)") : null;
}

/** The traits of each statement, or the parser's complaint. */
function parse(text: string): QueryTraits[] | string {
  if (text.trim() === "") return [];
  try {
    return traitsOf(parseSync(text));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function no(status: Exclude<CacheStatus, "hit" | "miss" | "disabled">, reason: string): Verdict {
  return { isCacheable: false, status, reason };
}
