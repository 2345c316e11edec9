import type { Faults } from "./faults.ts";
import type { Gate } from "./gate.ts";
import type { Observer } from "./observer.ts";
import type { Pool } from "./pool.ts";
import type { PreparedStatements } from "./prepared.ts";
import type { Proofs } from "./proofs.ts";
import type { StatementTable } from "./statements.ts";
import type { Door, StatsCounter } from "./stats.ts";

/** What watches a client, answers for the origin and gets in its way. */
export interface ClientInstruments {
  /** The cache in front of the pool, where there is one. */
  openGate: ((prepared: PreparedStatements) => Gate) | null;
  observer: Observer | null;
  faults: Faults | null;
  /** The client ran something that may have changed the schema. */
  onSchemaChange: () => void;
}

export interface ClientOptions extends ClientInstruments {
  door: Door;
  applicationName: string;
  /** Clients of one scope share prepared statements: the same user, database and startup settings. */
  scope: string;
  /** Applies the settings of the startup packet; runs at the start of each loan. */
  settingsSql: readonly string[];
  /** What the client SETs is there again in its next loan. */
  keepsSettings: boolean;
  pool: Pool;
  /** SQL that gives a session this client's user, where sessions are shared between users. */
  assumeSql: string | null;
  /** The session is this client's until it leaves, so names of statements need no translation. */
  dedicated: boolean;
  table: StatementTable;
  /** Parse and Describe of a known statement are answered without the origin. */
  edgePrepared: boolean;
  /** Says of statements that they leave nothing in a session; null: it is said of none. */
  proofs: Proofs | null;
  /** Bound on a statement in milliseconds, or null. */
  statementMs: number | null;
  stats: StatsCounter;
  onEnd: () => void;
}
