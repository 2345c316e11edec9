/** What pg_proc says of all functions of one name together; `mixed`: it depends on the arguments. */
export type Volatility = "immutable" | "stable" | "volatile" | "mixed";

export interface FunctionFacts {
  volatility: Volatility;
  /** It comes with Postgres, that is, it lies in pg_catalog. */
  isBuiltIn: boolean;
}

/**
 * Functions that Hyperdrive's text patterns are assumed to know: the examples in Cloudflare's pages (NOW, CURRENT_DATE,
 * CURRENT_TIMESTAMP, RANDOM, LASTVAL) and their nearest kin. The pattern looks at the text, comments included.
 */
const CALLED = [
  "now|timeofday|(?:clock|statement|transaction)_timestamp|random(?:_normal)?|setseed|gen_random_uuid|uuidv[47]",
  "uuid_generate_v(?:1|1mc|4)|(?:last|next|curr|set)val|txid_current|pg_current_xact_id|pg_sleep(?:_for|_until)?",
  "pg_backend_pid|inet_(?:client|server)_(?:addr|port)|current_setting|set_config|version|current_schemas?",
  "current_database|pg_(?:try_)?advisory_\\w+",
].join("|");
const BARE = "current_(?:date|time|timestamp|user|role|catalog|schema)|session_user|local(?:time|timestamp)";
const PATTERN = new RegExp(`(?<![\\w$"])(?:(${CALLED})\\s*\\(|(${BARE})(?![\\w$"]))`, "i");

/** The first stable or volatile function that the text names, comments and constants included, or null. */
export function namedInText(sql: string): string | null {
  const match = PATTERN.exec(sql);
  return match === null ? null : (match[1] ?? match[2] ?? "").toLowerCase();
}

/**
 * One row per function name: `name`, `t` when it is built in, and its distinct volatilities, as in `is`; of Postgres' own
 * when there are such, since it is these that a name finds first.
 */
export const VOLATILITY_SQL = `
  select proname, (bool_or(nspname = 'pg_catalog'))::text, coalesce(
    string_agg(distinct provolatile::text, '') filter (where nspname = 'pg_catalog'),
    string_agg(distinct provolatile::text, ''))
  from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace group by proname`;

/** What the origin knows of its functions, by name. */
export class FunctionTable {
  #facts = new Map<string, FunctionFacts>();

  /** Rows of `VOLATILITY_SQL`. */
  load(rows: readonly (readonly (string | null)[])[]): void {
    this.#facts = new Map(
      rows.map(([name, builtIn, kinds]) => [
        name ?? "",
        { volatility: volatilityOf(kinds ?? "v"), isBuiltIn: builtIn === "true" || builtIn === "t" },
      ]),
    );
  }

  get size(): number {
    return this.#facts.size;
  }

  find(name: string): FunctionFacts | null {
    return this.#facts.get(name) ?? null;
  }
}

function volatilityOf(kinds: string): Volatility {
  if (!kinds.includes("i")) return kinds.includes("v") ? "volatile" : "stable";
  return kinds === "i" ? "immutable" : "mixed";
}
