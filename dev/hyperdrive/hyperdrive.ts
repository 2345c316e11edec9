import type { Socket } from "node:net";
import { Client } from "./client/client.ts";
import type { ClientInstruments } from "./client/options.ts";
import { scopeOf, settingsSql } from "./client/settings.ts";
import { type Greeting, newCancelKey, Startup } from "./client/startup.ts";
import { welcome } from "./client/welcome.ts";
import { type InstrumentOptions, Instruments, type Visitor } from "./instruments.ts";
import type { ClientSocket } from "./legs/client-leg.ts";
import type { Origin } from "./origins/origin.ts";
import { Pool } from "./pool/pool.ts";
import { StatementTable } from "./pool/statements.ts";
import { Proofs } from "./prepared/proofs.ts";
import { type Listener, listen } from "./server.ts";
import { DOORS, type Door, type Stats, StatsCounter } from "./watch/stats.ts";
import type { FrameReader } from "./wire/frame-reader.ts";
import type { CancelKey } from "./wire/protocol.ts";
import { ScramVerifier } from "./wire/scram.ts";

export interface HyperdriveOptions extends InstrumentOptions {
  origin: Origin;
  /** The role of the `origin` door; default: the origin's own user. */
  ownerRole?: string;
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: any free port. */
  ports?: Partial<Record<Door, number>>;
  /** Every user's password, asked for by SCRAM-SHA-256. Absent: everybody is trusted. */
  password?: string;
  /** Sessions per door and user, default 5; Hyperdrive's soft maximum is 20. PGlite has one for all. */
  poolSize?: number;
  /** How long a client waits for a session; default 15,000 ms. */
  waitMs?: number;
  /** How long a statement may run on the pooled doors; default 60,000 ms. PGlite cannot be interrupted. */
  statementMs?: number;
  /** How long an idle session stays connected; default 600,000 ms. */
  idleMs?: number;
  /** Parse and Describe of a known statement are answered without the origin; default true. */
  edgePrepared?: boolean;
  /** The largest message a client may send; default 256 MiB. */
  maxMessageBytes?: number;
}

export interface Hyperdrive {
  ports: Record<Door, number>;
  /** `postgres://user:password@host:port/database`, always with a password. */
  connectionString(door: Door, user: string, database?: string): string;
  stats: Stats;
  /** Address of the HTTP face, where `control` was asked for. */
  controlUrl: string | null;
  /** Clock, caches, faults and the query log, for programs that run it in their own process. */
  instruments: Instruments;
  /** Ends the clients, rolls back what is open, closes the sessions and frees the ports. The origin stays open. */
  close(): Promise<void>;
}

type Settled = Required<Omit<HyperdriveOptions, "ownerRole" | "password" | "ports" | keyof InstrumentOptions>>;

const DEFAULTS = {
  host: "127.0.0.1",
  poolSize: 5,
  waitMs: 15_000,
  statementMs: 60_000,
  idleMs: 600_000,
  edgePrepared: true,
  maxMessageBytes: 256 * 1024 * 1024,
};
/**
 * Opens the three doors in front of an origin: `cached`, `direct` and, for tools, `origin`.
 * Rejects with a one-line message when a port is taken.
 */
export async function startHyperdrive(options: HyperdriveOptions): Promise<Hyperdrive> {
  const hyperdrive = new LocalHyperdrive(options);
  await hyperdrive.open(options.ports ?? {});
  return hyperdrive;
}

class LocalHyperdrive implements Hyperdrive {
  readonly ports: Record<Door, number> = { cached: 0, direct: 0, origin: 0 };
  readonly stats = new StatsCounter();
  readonly instruments: Instruments;
  readonly #options: Settled;
  readonly #owner: string;
  readonly #password: string | null;
  readonly #verifier: ScramVerifier | null;
  readonly #table = new StatementTable();
  readonly #pools = new Map<string, Pool>();
  readonly #clients = new Map<number, { client: Client; secret: number }>();
  readonly #sockets = new Set<ClientSocket>();
  readonly #listeners: Listener[] = [];
  readonly #sweeper: NodeJS.Timeout;
  #nextId = 1;
  #isClosed = false;

  constructor(options: HyperdriveOptions) {
    const { poolSize = DEFAULTS.poolSize } = options;
    if (!Number.isInteger(poolSize) || poolSize < 1) throw new RangeError("a pool has at least one session");
    this.instruments = new Instruments(options.origin, options);
    this.#options = { ...DEFAULTS, ...defined(options), origin: this.instruments.origin };
    this.#owner = options.ownerRole ?? options.origin.owner;
    this.#password = options.password ?? null;
    this.#verifier = options.password === undefined ? null : new ScramVerifier(options.password);
    const interval = Math.min(1000, Math.max(10, this.#options.statementMs / 4));
    this.#sweeper = setInterval(() => this.#sweep(), interval);
    this.#sweeper.unref();
  }

  async open(ports: Partial<Record<Door, number>>): Promise<void> {
    try {
      for (const door of DOORS) {
        const onConnection = (socket: Socket) => this.#connected(door, socket);
        const listener = await listen({ door, host: this.#options.host, port: ports[door] ?? 0, onConnection });
        this.#listeners.push(listener);
        this.ports[door] = listener.port;
      }
      await this.instruments.open(this.stats);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  get controlUrl(): string | null {
    return this.instruments.control?.url ?? null;
  }

  connectionString(door: Door, user: string, database = "postgres"): string {
    const password = this.#password ?? "trust";
    const host = this.#options.host.includes(":") ? `[${this.#options.host}]` : this.#options.host;
    const part = encodeURIComponent;
    return `postgres://${part(user)}:${part(password)}@${host}:${this.ports[door]}/${part(database)}`;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#sweeper);
    await this.instruments.close();
    const closing = this.#listeners.map((listener) => listener.close());
    for (const { client } of this.#clients.values()) client.shutDown();
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
    for (const socket of this.#sockets) socket.destroySoon();
    await Promise.all(closing);
  }

  #connected(door: Door, plain: Socket): void {
    const socket = this.instruments.wrap(plain);
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    new Startup(socket, {
      verifier: this.#verifier,
      messageLimit: this.#options.maxMessageBytes,
      onGreeting: (greeting, reader) => void this.#greet(door, { socket, greeting, reader }),
      onCancel: (key) => this.#cancel(key),
    });
  }

  async #greet(door: Door, { socket, greeting, reader }: Arrival): Promise<void> {
    const { origin } = this.#options;
    const parameters = await origin.parameters();
    const { settings, applicationName, database } = greeting;
    const user = door === "origin" ? this.#owner : greeting.user;
    const pool = this.#pool(door, user);
    const identity = { pool, assumeSql: origin.assumeSql(user), settingsSql: settingsSql(settings, parameters) };
    const visitor = { door, user, database, applicationName, settings, identity };
    const equipment = await this.instruments.equip(visitor);
    if (this.#isClosed || socket.destroyed) return;
    const key = newCancelKey(this.#nextId++);
    socket.write(welcome(greeting, parameters, key));
    this.#admit({ socket, reader, visitor, equipment }, key);
  }

  #admit({ socket, reader, visitor, equipment }: Guest, key: CancelKey): void {
    const { origin, edgePrepared, statementMs } = this.#options;
    const { door, user, applicationName, settings, identity } = visitor;
    const client = new Client(socket, reader, {
      door,
      applicationName,
      // What tools prepare may be what the pooled doors refuse.
      scope: `${door === "origin" ? "tools" : "pooled"} ${scopeOf(user, settings)}`,
      ...identity,
      ...equipment,
      keepsSettings: door === "origin" && origin.single,
      dedicated: door === "origin" && !origin.single,
      table: this.#table,
      edgePrepared,
      // On an origin of one session nobody keeps it.
      proofs: door === "origin" || origin.single ? null : new Proofs(this.#table, { ...identity, description: user }),
      statementMs: door === "origin" ? null : statementMs,
      stats: this.stats,
      onEnd: () => this.#clients.delete(key.processId),
    });
    this.#clients.set(key.processId, { client, secret: key.secret });
    client.start();
  }

  #pool(door: Door, user: string): Pool {
    const { origin, poolSize, waitMs, idleMs, statementMs } = this.#options;
    const key = origin.single ? "" : `${door}\0${user}`;
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    let size = poolSize;
    if (origin.single) size = 1;
    else if (door === "origin") size = Number.POSITIVE_INFINITY;
    const pool = new Pool({ origin, user, size, waitMs, idleMs, recoveryMs: statementMs });
    this.#pools.set(key, pool);
    return pool;
  }

  #cancel({ processId, secret }: CancelKey): void {
    const target = this.#clients.get(processId);
    if (target?.secret === secret) target.client.cancel();
  }

  #sweep(): void {
    const now = Date.now();
    for (const { client } of this.#clients.values()) client.sweep(now);
  }
}

interface Arrival {
  socket: ClientSocket;
  greeting: Greeting;
  reader: FrameReader;
}

interface Guest {
  socket: ClientSocket;
  reader: FrameReader;
  visitor: Visitor;
  equipment: ClientInstruments;
}

function defined(options: HyperdriveOptions): HyperdriveOptions {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.assign({ origin: options.origin }, Object.fromEntries(entries));
}
