import type { StatementTable } from "../pool/statements.ts";
import type { Proofs } from "./proofs.ts";

export interface PreparedOptions {
  table: StatementTable;
  /** Clients of one scope share prepared statements: the same user, database and startup settings. */
  scope: string;
  /** Parse and Describe of a known statement are answered without the origin. */
  edgePrepared: boolean;
  /** The session is this client's until it leaves, so names of statements need no translation. */
  dedicated: boolean;
  /** Says of statements that they leave nothing in a session; null: it is said of none. */
  proofs: Proofs | null;
}
