import type { Socket } from "node:net";
import type { CacheOptions } from "./cache/cache.ts";
import type { Profile } from "./cache/cacheability.ts";
import { Edge } from "./cache/edge.ts";
import { Gate } from "./cache/gate.ts";
import type { ClientInstruments } from "./client/options.ts";
import type { Settings } from "./client/settings.ts";
import { type Control, startControl } from "./control.ts";
import { type ClientSocket, LeggedSocket } from "./legs/client-leg.ts";
import { Faults } from "./legs/faults.ts";
import { Latency, type LatencyOptions } from "./legs/latency.ts";
import { throughLeg } from "./legs/leg.ts";
import type { Origin } from "./origins/origin.ts";
import type { Identity } from "./pool/errand.ts";
import { type Clock, createClock } from "./watch/clock.ts";
import { Observer } from "./watch/observer.ts";
import { QueryLog } from "./watch/query-log.ts";
import type { Door, StatsCounter } from "./watch/stats.ts";

export interface InstrumentOptions {
  /** The cached door's cache; default false: it has none. `profile`: what is cached where Cloudflare says nothing. */
  cache?: (CacheOptions & { profile?: Profile }) | false;
  /** Time for the cache; default: the machine's. */
  clock?: Clock;
  /** Locations with caches of their own; default 1. A connection names one as `fairlead.location`, else they take turns. */
  locations?: number;
  /** Compares every hit with the origin. */
  shadow?: boolean;
  /** Time on the way. */
  latency?: LatencyOptions;
  /** How long a connection may be half-open before it is given up, at the origin; default 15,000 ms. */
  silenceMs?: number;
  /** Port of the HTTP face on loopback, 0 for any; default: none. With it come faults on demand and the query log. */
  control?: number;
}

/** Whose connection it is. */
export interface Visitor {
  door: Door;
  user: string;
  database: string;
  applicationName: string;
  settings: Settings;
  identity: Omit<Identity, "description">;
}

const PREPARE_MS = 3000;
const SILENCE_MS = 15_000;

/** What makes it more than a pool: cache, clock, latency, faults, and the eyes on all of it. */
export class Instruments {
  readonly clock: Clock;
  readonly log = new QueryLog();
  readonly faults = new Faults();
  readonly edge: Edge | null;
  /** The origin, through its leg when that may delay or break. */
  readonly origin: Origin;
  control: Control | null = null;
  readonly #latency: Latency;
  readonly #controlPort: number | undefined;
  readonly #hasLegs: boolean;

  constructor(origin: Origin, options: InstrumentOptions) {
    const { cache = false, clock = createClock(), locations = 1, shadow = false, latency, control } = options;
    const { silenceMs = SILENCE_MS } = options;
    if (!Number.isInteger(locations) || locations < 1) throw new RangeError("there is at least one location");
    this.clock = clock;
    this.#latency = new Latency(latency);
    this.#controlPort = control;
    this.#hasLegs = control !== undefined || latency !== undefined;
    this.origin = this.#hasLegs ? this.#leg(origin, silenceMs) : origin;
    const { profile = "paranoid", ...cacheOptions } = cache === false ? {} : cache;
    const edgeOptions = { clock, log: this.log, cache: cacheOptions, profile, locations, shadow };
    this.edge = cache === false ? null : new Edge(edgeOptions);
  }

  async open(stats: StatsCounter): Promise<void> {
    if (this.#controlPort === undefined) return;
    const { log, edge, clock, faults } = this;
    this.control = await startControl({ stats, log, edge, clock, faults }, this.#controlPort);
  }

  async close(): Promise<void> {
    this.faults.clear();
    await this.control?.close();
  }

  /** A client's socket, through its leg when that delays or slices at the time. */
  wrap(socket: Socket): ClientSocket {
    const hasLeg = this.#latency.delaysClients || this.faults.isOn("sliced");
    return hasLeg ? new LeggedSocket(socket, { latency: this.#latency, faults: this.faults }) : socket;
  }

  /** What a client of this door is equipped with. Waits until the edge can judge queries. */
  async equip(visitor: Visitor): Promise<ClientInstruments> {
    const { door, user, database, applicationName, settings } = visitor;
    const { edge } = this;
    const isWatched = door !== "origin" && (this.#hasLegs || edge !== null);
    const observer = isWatched ? new Observer(this.log, this.clock, { door, user, request: applicationName }) : null;
    const faults = door !== "origin" && this.#hasLegs ? this.faults : null;
    const onSchemaChange = () => edge?.schemaChanged();
    if (edge === null || observer === null || door !== "cached") {
      return { observer, faults, onSchemaChange, openGate: null };
    }
    const identity = { ...visitor.identity, description: describe(user, settings) };
    await Promise.race([edge.prepare(identity), new Promise((resolve) => setTimeout(resolve, PREPARE_MS).unref())]);
    const location = edge.locate(settings.get("fairlead.location"));
    return {
      observer,
      faults,
      onSchemaChange,
      openGate: (prepared) => new Gate({ edge, user, database, location, identity, prepared, observer }),
    };
  }

  #leg(origin: Origin, silenceMs: number): Origin {
    const leg = throughLeg(origin, { latency: this.#latency, faults: this.faults, silenceMs });
    this.faults.onChange = (kind, isOn) => {
      if (kind === "slow") this.#latency.extraMs = this.faults.slowMs;
      if ((kind === "origin-down" && isOn) || (kind === "half-open" && !isOn)) leg.strike();
    };
    return leg;
  }
}

function describe(user: string, settings: Settings): string {
  const named = [...settings].filter(([name]) => name !== "application_name" && name !== "client_encoding");
  return [user, ...named.map(([name, value]) => `${name}=${value}`)].join(" ");
}
