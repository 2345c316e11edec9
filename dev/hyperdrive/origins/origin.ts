/** A connection to the origin that carries protocol messages and knows nothing of their meaning. */
export interface Transport {
  /** Queues a message. `copySql`: the SQL this message runs, given when it may ask for COPY data. */
  send(message: Buffer, copySql?: string): void;
  /** Sends what is queued. */
  flush(): void;
  /** More is queued than the origin has taken: hold back until `TransportEvents.drained`. */
  readonly congested: boolean;
  /** Stops and restarts the flow of answers, where it can be stopped. */
  pause(): void;
  resume(): void;
  /** Asks the origin to cancel what is running; resolves when it has been told. */
  cancel(): Promise<void>;
  /** Nobody has the session, and it is clean. */
  rest(): void;
  /** Ends the connection: politely, or at once. */
  end(): void;
  destroy(): void;
}

export interface TransportEvents {
  received(chunk: Buffer): void;
  drained(): void;
  /** The connection is gone. Also follows `end` and `destroy`. */
  gone(): void;
}

/** Where sessions come from. */
export interface Origin {
  /** True: there is one session for all doors and users, so each loan takes on its user with `assumeSql`. */
  readonly single: boolean;
  /** Who the `origin` door connects as when no owner role is named. */
  readonly owner: string;
  /** Opens a connection, authenticated. Rejects with a `WireError` a client may see. */
  open(user: string): Promise<Connect>;
  /** SQL that turns a fresh session of a `single` origin into one of this user. */
  assumeSql(user: string): string | null;
  /** SQL after which a session, outside a transaction, holds nothing of its last client. */
  readonly resetSql: string;
  /** The same for a session without prepared statements, where it can be had for less: one statement each. */
  readonly discardSql?: readonly string[];
  /** The settings Postgres reports when a connection starts (server_version, TimeZone …). */
  parameters(): Promise<ReadonlyMap<string, string>>;
  /** Closes what `open` has opened. */
  close(): Promise<void>;
}

/** Hands over an authenticated connection; its events start with the call. */
export type Connect = (events: TransportEvents) => Transport;
