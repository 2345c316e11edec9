import { connectFailed } from "../wire/errors.ts";
import type { Connect, Origin, TransportEvents } from "./origin.ts";
import { type Address, login, openSocket, SSL_MODES, type SslMode, sendCancel } from "./postgres-login.ts";
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
 * user of the `origin` door. `sslmode` (default `disable`), `host` (also the folder of a Unix socket), `port`, `user`,
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
  readonly #passwords: ReadonlyMap<string, string>;
  readonly #transports = new Set<PostgresTransport>();
  #parameters: ReadonlyMap<string, string> | null = null;
  #isClosed = false;

  constructor(url: string, options: PostgresOriginOptions) {
    const parsed = readUrl(url);
    const parameters = parametersOf(parsed);
    this.owner = (parameters.get("user") ?? decodeURIComponent(parsed.username)) || "postgres";
    this.#password = parameters.get("password") ?? decodeURIComponent(parsed.password);
    this.#database = (parameters.get("dbname") ?? decodeURIComponent(parsed.pathname.slice(1))) || this.owner;
    this.#passwords = new Map(Object.entries(options.passwords ?? {}));
    this.#address = {
      host: hostOf(parsed, parameters),
      port: portOf(parsed, parameters),
      sslMode: sslModeOf(parameters),
      timeoutMs: options.connectMs ?? 10_000,
    };
  }

  async open(user: string): Promise<Connect> {
    if (this.#isClosed) throw connectFailed("connection_refused");
    const socket = await openSocket(this.#address);
    const { parameters, key, rest } = await login(socket, {
      user,
      password: this.#passwords.get(user) ?? this.#password,
      database: this.#database,
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

function readUrl(url: string): URL {
  if (!/^postgres(?:ql)?:\/\//.test(url)) throw new Error("the origin's URL must begin with postgres://");
  if (URL.canParse(url) && isDecodable(url)) return new URL(url);
  throw new Error(
    "the origin's URL cannot be read: postgres://user:password@host:5432/database, what is special in it as %xx",
  );
}

function isDecodable(url: string): boolean {
  try {
    decodeURIComponent(url);
    return true;
  } catch {
    return false;
  }
}

/** As libpq reads them: they count more than the URL's own parts, and a plus is a plus. */
function parametersOf({ search }: URL): URLSearchParams {
  return new URLSearchParams(search.replaceAll("+", "%2B"));
}

/** A path is the folder of a Unix socket. */
function hostOf({ hostname }: URL, parameters: URLSearchParams): string {
  const host = parameters.get("host") ?? decodeURIComponent(hostname).replace(/^\[(.*)\]$/, "$1");
  return host || "127.0.0.1";
}

function portOf({ port }: URL, parameters: URLSearchParams): number {
  const text = parameters.get("port") || port || "5432";
  const number = Number(text);
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
  throw new Error(`the origin's port must be a number from 1 to 65535, not "${text}"`);
}

function sslModeOf(parameters: URLSearchParams): SslMode {
  const name = parameters.get("sslmode") ?? "disable";
  const mode = SSL_MODES.find((known) => known === name);
  if (mode === undefined) throw new Error(`the origin's sslmode must be one of ${SSL_MODES.join(", ")}, not "${name}"`);
  return mode;
}

function withoutPersonal(parameters: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const shared = new Map(parameters);
  shared.delete("application_name");
  shared.delete("session_authorization");
  shared.set("is_superuser", "off");
  return shared;
}
