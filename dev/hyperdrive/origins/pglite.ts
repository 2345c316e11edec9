import type { PGlite } from "@electric-sql/pglite";
import { connectFailed } from "../wire/errors.ts";
import { CLIENT, frame, query } from "../wire/protocol.ts";
import type { Connect, Origin, Transport, TransportEvents } from "./origin.ts";
import { PgliteTransport } from "./pglite-transport.ts";

export interface PgliteOriginOptions {
  /** PGlite's own superuser; default `postgres`. */
  superuser?: string;
}

const REPORTED = [
  "server_version",
  "server_encoding",
  "client_encoding",
  "application_name",
  "default_transaction_read_only",
  "in_hot_standby",
  "DateStyle",
  "IntervalStyle",
  "TimeZone",
  "integer_datetimes",
  "standard_conforming_strings",
];

/**
 * The one session of a PGlite as an origin. While a session is on loan, PGlite's own lock is held, so `pglite.query()`
 * beside it waits its turn instead of falling into a client's transaction. PGlite stays the caller's: close it after the origin.
 */
export function createPgliteOrigin(pglite: PGlite, options: PgliteOriginOptions = {}): Origin {
  return new PgliteOrigin(pglite, options.superuser ?? "postgres");
}

class PgliteOrigin implements Origin {
  readonly single = true;
  readonly owner: string;
  readonly resetSql: string;
  readonly discardSql: readonly string[];
  readonly #pglite: PGlite;
  #parameters: Promise<ReadonlyMap<string, string>> | null = null;
  #open: PgliteTransport | null = null;
  #isBroken = false;

  constructor(pglite: PGlite, superuser: string) {
    this.#pglite = pglite;
    this.owner = superuser;
    const becomeSuperuser = `SET SESSION AUTHORIZATION ${identifier(superuser)}`;
    this.discardSql = ["DISCARD ALL", becomeSuperuser];
    // RESET SESSION AUTHORIZATION restores nothing on PGlite: the user must be named.
    this.resetSql = ["CLOSE ALL", becomeSuperuser, "RESET ALL", "UNLISTEN *", "DISCARD SEQUENCES", "DISCARD TEMP"].join(
      "; ",
    );
  }

  async open(): Promise<Connect> {
    try {
      await this.#pglite.waitReady;
    } catch {
      throw connectFailed("pglite_not_ready");
    }
    if (this.#pglite.closed) throw connectFailed("connection_refused");
    // Whatever else it is asked, it may never come back from.
    if (this.#isBroken) throw connectFailed("pglite_broken_down");
    if (this.#open !== null) await this.#clean();
    return (events: TransportEvents): Transport => {
      this.#open = new PgliteTransport(this.#pglite, events);
      return this.#open;
    };
  }

  assumeSql(user: string): string | null {
    return user === this.owner ? null : `SET SESSION AUTHORIZATION ${identifier(user)}`;
  }

  parameters(): Promise<ReadonlyMap<string, string>> {
    this.#parameters ??= this.#readParameters();
    return this.#parameters;
  }

  async close(): Promise<void> {
    this.#open?.destroy();
  }

  /** The session before was broken off: what it left open must not be the next one's. */
  async #clean(): Promise<void> {
    const messages = [frame(CLIENT.sync), query("ROLLBACK"), query(`${this.resetSql}; DEALLOCATE ALL`)];
    let answered = 0;
    const onRawData = () => void answered++;
    await this.#pglite._runExclusiveTransaction(async () => {
      for (const message of messages) await this.#pglite.execProtocolRawStream(message, { onRawData });
    });
    this.#isBroken = answered === 0;
    if (this.#isBroken) throw connectFailed("pglite_broken_down");
  }

  async #readParameters(): Promise<ReadonlyMap<string, string>> {
    const { rows } = await this.#pglite.query<{ name: string; setting: string }>(
      "select name, reset_val as setting from pg_catalog.pg_settings where name = any($1)",
      [REPORTED],
    );
    return new Map([...rows.map(({ name, setting }): [string, string] => [name, setting]), ["is_superuser", "off"]]);
  }
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
