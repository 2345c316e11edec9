import { loadModule } from "libpg-query";
import { type Identity, runErrand, simpleFlight } from "../pool/errand.ts";
import type { Statement, StatementTable } from "../pool/statements.ts";
import { COMPARISONS, plainTables } from "../sql/plain-reads.ts";

/** Whatever else may change a schema, a proof is asked for anew this often. */
export const PROOF_MS = 1000;
const RENEW_MS = PROOF_MS / 2;
const ANSWER_LIMIT = 10_000;

/**
 * Proves of statements that they leave nothing behind in their session: the text is a plain read, and the origin's
 * catalogue shows that what it reads are tables and nothing more, of Postgres' own types and operators.
 */
export class Proofs {
  readonly #table: StatementTable;
  readonly #identity: Identity;

  /** `identity`: as whom the statements run. */
  constructor(table: StatementTable, identity: Identity) {
    this.#table = table;
    this.#identity = identity;
  }

  /** Whether it is proven for the moment. A proof that is missing or old is asked for, behind the answer. */
  holds(statement: Statement): boolean {
    const { proof } = statement;
    if (proof === "none") return false;
    const now = Date.now();
    const left = proof === null || proof.schema !== this.#table.schema ? 0 : proof.until - now;
    if (left < RENEW_MS && now - statement.triedAt >= RENEW_MS) void this.#prove(statement, now);
    return left > 0;
  }

  async #prove(statement: Statement, now: number): Promise<void> {
    statement.triedAt = now;
    const { schema } = this.#table;
    await loadModule();
    const tables = isPlainlyTyped(statement) ? plainTables(statement.sql) : null;
    const answer =
      tables === null ? "none" : await runErrand(this.#identity, simpleFlight(proofSql(tables)), ANSWER_LIMIT);
    if (answer === null) return;
    const isProven = answer !== "none" && answer.rowCount === 1;
    statement.proof = isProven ? { until: now + PROOF_MS, schema } : "none";
  }
}

/** Oids from here on are given to what somebody has made. */
const FIRST_OWN_OID = 16_384;

/** The types that a Parse declares for its parameters are Postgres' own: reading a value calls no other function. */
function isPlainlyTyped({ sql, tail }: Statement): boolean {
  const count = tail.readInt16BE(sql.length + 1);
  for (let at = 0; at < count; at++) {
    const oid = tail.readUInt32BE(sql.length + 3 + 4 * at);
    if (oid >= FIRST_OWN_OID) return false;
  }
  return true;
}

/** SQL with one row when the proof holds, none when it does not. */
function proofSql(tables: readonly string[]): string {
  const names = [...new Set(tables)].map((name) => `'${name}'`).join(", ");
  const operators = COMPARISONS.map((name) => `'${name}'`).join(", ");
  const isOwn = (column: string) => `${column} >= ${FIRST_OWN_OID}`;
  const none = (from: string) => `not exists (select from pg_catalog.${from})`;
  return `select 1
    from pg_catalog.unnest(array[${names}]) as named (name)
    left join pg_catalog.pg_class c on c.oid = pg_catalog.to_regclass(named.name)
    having pg_catalog.bool_and(coalesce(
      c.relkind = 'r' and c.relpersistence <> 't' and not ${isOwn("c.relam")}
      and not c.relrowsecurity and not c.relhasrules and not c.relhassubclass
      and ${none(`pg_attribute a where a.attrelid = c.oid and (${isOwn("a.atttypid")} or a.attgenerated <> '')`)}
      and ${none("pg_constraint k where k.conrelid = c.oid and k.contype = 'c'")}
      and ${none("pg_statistic_ext s where s.stxrelid = c.oid")}
      and ${none(`pg_index i join pg_catalog.pg_class x on x.oid = i.indexrelid where i.indrelid = c.oid
        and (i.indexprs is not null or i.indpred is not null or ${isOwn("x.relam")})`)}
    , false))
    and ${none(`pg_operator o where ${isOwn("o.oid")} and o.oprname in (${operators})`)}
    and ${none(`pg_opclass o where ${isOwn("o.oid")} and not ${isOwn("o.opcintype")}`)}
    and ${none(`pg_cast t where ${isOwn("t.oid")} and not (${isOwn("t.castsource")} and ${isOwn("t.casttarget")})`)}`;
}
