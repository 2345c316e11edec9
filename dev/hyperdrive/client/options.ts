import type { Gate } from "../cache/gate.ts";
import type { Faults } from "../legs/faults.ts";
import type { Pool } from "../pool/pool.ts";
import type { PreparedOptions } from "../prepared/options.ts";
import type { PreparedStatements } from "../prepared/prepared.ts";
import type { Observer } from "../watch/observer.ts";
import type { Door, StatsCounter } from "../watch/stats.ts";

/** What watches a client, answers for the origin and gets in its way. */
export interface ClientInstruments {
  /** The cache in front of the pool, where there is one. */
  openGate: ((prepared: PreparedStatements) => Gate) | null;
  observer: Observer | null;
  faults: Faults | null;
  /** The client ran something that may have changed the schema. */
  onSchemaChange: () => void;
}

export interface ClientOptions extends ClientInstruments, PreparedOptions {
  door: Door;
  applicationName: string;
  /** Applies the settings of the startup packet; runs at the start of each loan. */
  settingsSql: readonly string[];
  /** What the client SETs is there again in its next loan. */
  keepsSettings: boolean;
  pool: Pool;
  /** SQL that gives a session this client's user, where sessions are shared between users. */
  assumeSql: string | null;
  /** Bound on a statement in milliseconds, or null. */
  statementMs: number | null;
  stats: StatsCounter;
  onEnd: () => void;
}
