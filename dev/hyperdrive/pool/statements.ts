import { type CopyIn, copiesIn } from "../sql/restrictions.ts";
import type { Bytes } from "../wire/protocol.ts";

/** A prepared statement as origin sessions know it. */
export class Statement {
  /** Its name on every origin session; a client never sees it. */
  readonly serverName: Bytes;
  readonly sql: Bytes;
  /** SQL and parameter types, ready for a Parse message. */
  readonly tail: Buffer;
  /** The origin has accepted it at least once. */
  accepted = false;
  /** ParameterDescription and RowDescription (or NoData) as the origin answered them. */
  description: Buffer | null = null;
  readonly copiesIn: CopyIn;
  /** That running it leaves nothing in a session: until when, and for which state of the schema; `none`: it cannot be proven. */
  proof: { until: number; schema: number } | "none" | null = null;
  /** When the proof was last asked for. */
  triedAt = 0;
  /** Many clients may use it, so that it is worth a proof. */
  isShared = false;

  constructor(serverName: Bytes, sql: Bytes, tail: Buffer) {
    this.serverName = serverName;
    this.sql = sql;
    // The tail lies in a network chunk that would otherwise stay in memory with it.
    this.tail = Buffer.from(tail);
    this.copiesIn = copiesIn(sql);
  }
}

/** So many longer ones would fill the memory. */
const LONGEST_SHARED = 16 * 1024;

/** What a client means by one of its names. */
export interface Handle {
  statement: Statement;
  /** The description this client was given: its result columns must not change behind its back. */
  told: Buffer | null;
  /** They did change: the client has to prepare anew, as on a plain connection. */
  outdated: boolean;
}

export function handleOf(statement: Statement): Handle {
  return { statement, told: null, outdated: false };
}

/**
 * Statements shared by all clients for which SQL, parameter types and scope (user, database, startup settings) are the same.
 * The least recently used go first; a client that still holds one keeps it alive.
 */
export class StatementTable {
  /** Counts the changes of the schema. */
  schema = 0;
  readonly #capacity: number;
  readonly #statements = new Map<string, Statement>();
  #next = 1;

  constructor(capacity = 2000) {
    this.#capacity = capacity;
  }

  /** The statement for these bytes, made when there is none yet. */
  share(scope: string, sql: Bytes, tail: Buffer): Statement {
    if (tail.length > LONGEST_SHARED) return this.create(sql, tail);
    const key = StatementTable.#key(scope, tail);
    const statement = this.#statements.get(key) ?? this.create(sql, tail);
    statement.isShared = true;
    this.#statements.delete(key);
    this.#statements.set(key, statement);
    const oldest = this.#statements.keys().next().value;
    if (this.#statements.size > this.#capacity && oldest !== undefined) this.#statements.delete(oldest);
    return statement;
  }

  /** A statement the origin has accepted before, or null. */
  findAccepted(scope: string, tail: Buffer): Statement | null {
    const statement = this.#statements.get(StatementTable.#key(scope, tail));
    return statement?.accepted === true ? statement : null;
  }

  /** A statement of one client alone. */
  create(sql: Bytes, tail: Buffer): Statement {
    return new Statement(`fl_${this.#next++}`, sql, tail);
  }

  /** Forgets one whose result changed at the origin. */
  drop(statement: Statement): void {
    for (const [key, known] of this.#statements) if (known === statement) this.#statements.delete(key);
  }

  /** Forgets all: the schema has changed, so descriptions may be wrong. */
  clear(): void {
    this.schema++;
    this.#statements.clear();
  }

  static #key(scope: string, tail: Buffer): string {
    return `${scope}\0${tail.toString("latin1")}`;
  }
}
