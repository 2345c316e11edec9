import { AsyncLocalStorage } from "node:async_hooks";
import net from "node:net";
import pg, { type QueryConfig, type QueryResult } from "pg";
import { Flights } from "./flights.ts";
import type { Leg, Trips } from "./trips.ts";

export interface ConnectionOptions {
  connectionString: string;
  leg: Leg;
  trips: Trips;
  /** Sends statements without waiting for the answers of earlier ones. */
  pipeline: boolean;
  /** Longest wait for a connection, in milliseconds. */
  connectTimeoutMs: number;
  /** Longest wait for one answer, in milliseconds; past it the connection is destroyed. */
  queryTimeoutMs: number;
  /** The connection's application_name, by which a local Hyperdrive tells requests apart. */
  applicationName?: string;
  /** Keeps the worker alive for what nobody waits for. */
  waitUntil(promise: Promise<unknown>): void;
}

export type Statement = string | QueryConfig;
export type Send = (statement: Statement, values?: unknown[], leg?: Leg) => Promise<QueryResult>;

/** The transaction that the running code is in, to tell its statements from its neighbours'. */
const current = new AsyncLocalStorage<Connection>();

/**
 * One connection to Postgres for one request: opened by its first statement, closed at the request's end. While a
 * transaction is open, other statements of the same request wait for its end.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #flights: Flights;
  #client: pg.Client | undefined;
  #socket: net.Socket | undefined;
  #transactions: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#flights = new Flights(options.trips);
  }

  /** Whether a statement has opened the connection. */
  get opened(): boolean {
    return this.#client !== undefined;
  }

  /**
   * Sends one statement outside any transaction.
   * @throws inside a transaction of this connection: there, statements go through its `tx`.
   */
  readonly query: Send = async (statement, values, leg) => {
    this.#refuseInside("this client");
    while (this.#transactions) await this.#transactions;
    return this.#send(statement, values, leg);
  };

  /** Sends a statement that nobody waits for; a failure closes the connection with the request. */
  background(statement: string): void {
    const client = this.#open();
    const ask = () => client.query(statement).catch(ignore);
    this.#options.waitUntil(this.#options.pipeline ? ask() : this.#inTurn(ask));
  }

  /** Runs `work` with the connection to itself; `send` is how its statements travel. */
  async exclusively<T>(work: (send: Send) => Promise<T>): Promise<T> {
    this.#refuseInside("a second transaction");
    while (this.#transactions) await this.#transactions;
    let release: () => void = ignore;
    this.#transactions = new Promise((resolve) => {
      release = resolve;
    });
    try {
      return await current.run(this, () => work((...args) => this.#send(...args)));
    } finally {
      this.#transactions = undefined;
      release();
    }
  }

  /** Closes the connection after the statements under way; safe to call twice and before any statement. */
  async close(): Promise<void> {
    const client = this.#client;
    await this.#last;
    if (client) await client.end().catch(ignore);
  }

  #refuseInside(what: string): void {
    if (current.getStore() !== this) return;
    throw new Error(`${what} was used inside a transaction of the same connection: use the callback's tx`);
  }

  #send(statement: Statement, values?: unknown[], leg: Leg = this.#options.leg): Promise<QueryResult> {
    const client = this.#open();
    const ask = () => this.#flights.follow(client.query(statement, values), leg);
    if (!this.#options.pipeline) return this.#inTurn(ask);
    this.#holdFlight();
    return ask();
  }

  /** Without pipelining: after the answer of the statement before. */
  #inTurn<T>(ask: () => Promise<T>): Promise<T> {
    const answer = this.#last.then(ask);
    this.#last = answer.then(ignore, ignore);
    return answer;
  }

  /** Lets what is sent in one turn leave together: Drizzle's statements start a few microtasks after the prelude. */
  #holdFlight(): void {
    const socket = this.#socket;
    if (!socket || socket.writableCorked > 0) return;
    socket.cork();
    setImmediate(() => socket.uncork());
  }

  #open(): pg.Client {
    if (this.#client) return this.#client;
    const { connectionString, pipeline, connectTimeoutMs, queryTimeoutMs, applicationName } = this.#options;
    const client = new pg.Client({
      connectionString,
      // pg's own socket for Workers rejects unhandled when the other side closes.
      stream: () => {
        this.#socket = new net.Socket();
        return this.#socket;
      },
      pipeline,
      application_name: applicationName,
      connectionTimeoutMillis: connectTimeoutMs,
      query_timeout: queryTimeoutMs,
    });
    // Each statement under way gets the error as its own answer.
    client.on("error", ignore);
    client.connect().catch(ignore);
    this.#client = client;
    return client;
  }
}

function ignore(): void {}
