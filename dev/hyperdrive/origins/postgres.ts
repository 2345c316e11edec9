import { connectFailed } from "../wire/errors.ts";
import type { Connect, Origin, TransportEvents } from "./origin.ts";
import { readAddress } from "./postgres-address.ts";
import { type Address, login, openSocket, sendCancel } from "./postgres-login.ts";
import { PostgresTransport } from "./postgres-transport.ts";

export interface PostgresOriginOptions {
  /** Passwords by user; whoever is not named here gets the URL's. */
  passwords?: Record<string, string>;
  /** How long a connection attempt may take; default 10,000 ms. */
  connectMs?: number;
}

const RESET_SQL = [
  "CLOSE ALL",
  "SET SESSION AUTHORIZATION DEFAULT",
  "RESET ALL",
  "UNLISTEN *",
  "DISCARD SEQUENCES",
  "DISCARD TEMP",
].join("; ");
const CONNECT_MS = 10_000;
/** For clients that arrive before the origin has ever answered. */
const ASSUMED_PARAMETERS = new Map([
  ["server_version", "17.0"],
  ["server_encoding", "UTF8"],
  ["client_encoding", "UTF8"],
  ["DateStyle", "ISO, MDY"],
  ["IntervalStyle", "postgres"],
  ["TimeZone", "UTC"],
  ["integer_datetimes", "on"],
  ["standard_conforming_strings", "on"],
  ["is_superuser", "off"],
]);

/**
 * A Postgres server as an origin: each user gets connections of its own. The URL names the server, the database, and the
 * user of the `origin` door. `sslmode` (default `disable`), `sslrootcert`, `host` (also the folder of a Unix socket), `port`, `user`,
 * `password` and `dbname` behind its `?` mean what libpq means by them. Throws for a URL that cannot be read.
 */
export function createPostgresOrigin(url: string, options: PostgresOriginOptions = {}): Origin {
  return new PostgresOrigin(url, options);
}

class PostgresOrigin implements Origin {
  readonly single = false;
  readonly owner: string;
  readonly resetSql = RESET_SQL;
  readonly discardSql = ["DISCARD ALL"];
  readonly #address: Address;
  readonly #database: string;
  readonly #password: string;
  readonly #startupOptions: string;
  readonly #passwords: ReadonlyMap<string, string>;
  readonly #transports = new Set<PostgresTransport>();
  #parameters: ReadonlyMap<string, string> | null = null;
  #isClosed = false;

  constructor(url: string, options: PostgresOriginOptions) {
    const { user, password, database, options: startupOptions, connectMs, ...address } = readAddress(url);
    this.owner = user;
    this.#password = password;
    this.#database = database;
    this.#passwords = new Map(Object.entries(options.passwords ?? {}));
    this.#startupOptions = startupOptions;
    this.#address = { ...address, timeoutMs: options.connectMs ?? connectMs ?? CONNECT_MS };
  }

  async open(user: string): Promise<Connect> {
    if (this.#isClosed) throw connectFailed("connection_refused");
    const socket = await openSocket(this.#address);
    const { parameters, key, rest } = await login(socket, {
      user,
      password: this.#passwords.get(user) ?? this.#password,
      database: this.#database,
      options: this.#startupOptions,
      timeoutMs: this.#address.timeoutMs,
    });
    this.#parameters = withoutPersonal(parameters);
    return (events: TransportEvents) => {
      const transport = new PostgresTransport(socket, {
        received: (chunk) => events.received(chunk),
        drained: () => events.drained(),
        gone: () => {
          this.#transports.delete(transport);
          events.gone();
        },
        cancel: () => sendCancel(this.#address, key),
      });
      this.#transports.add(transport);
      if (this.#isClosed) transport.destroy();
      if (rest.length > 0) events.received(rest);
      return transport;
    };
  }

  assumeSql(): null {
    return null;
  }

  async parameters(): Promise<ReadonlyMap<string, string>> {
    if (this.#parameters !== null) return this.#parameters;
    try {
      const connect = await this.open(this.owner);
      connect({ received: () => {}, drained: () => {}, gone: () => {} }).end();
    } catch {
      // The client hears of it from its first statement, in Hyperdrive's words.
    }
    return this.#parameters ?? ASSUMED_PARAMETERS;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const transport of this.#transports) transport.destroy();
  }
}

function withoutPersonal(parameters: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const shared = new Map(parameters);
  shared.delete("application_name");
  shared.delete("session_authorization");
  shared.set("is_superuser", "off");
  return shared;
}
