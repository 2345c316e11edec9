import type { Connect, Origin, Transport, TransportEvents } from "../origins/origin.ts";
import { connectFailed } from "../wire/errors.ts";
import type { Faults } from "./faults.ts";
import type { DelayLine, Latency } from "./latency.ts";
import { slices } from "./slices.ts";

export interface LegOptions {
  latency: Latency;
  faults: Faults;
}

interface OriginLegOptions extends LegOptions {
  /** How long a connection stays that has gone silent, as a keepalive would have it. */
  silenceMs: number;
}

/** The origin at the far end of a leg that takes time and has faults. */
export function throughLeg(origin: Origin, options: OriginLegOptions): Origin & { strike(): void } {
  const transports = new Set<LegTransport>();
  const unanswered = new Set<() => void>();
  return {
    single: origin.single,
    owner: origin.owner,
    resetSql: origin.resetSql,
    ...(origin.discardSql === undefined ? {} : { discardSql: origin.discardSql }),
    assumeSql: (user) => origin.assumeSql(user),
    parameters: () => origin.parameters(),
    close: () => origin.close(),
    async open(user): Promise<Connect> {
      if (options.faults.isOn("origin-down")) throw connectFailed("connection_refused");
      if (options.faults.isOn("half-open")) await unansweredFor(options.silenceMs, unanswered);
      const connect = await origin.open(user);
      return (events) => {
        const transport = new LegTransport(connect, events, options);
        transports.add(transport);
        transport.onGone = () => transports.delete(transport);
        return transport;
      };
    },
    /** Breaks every connection, and lets those through that were not answered. */
    strike() {
      for (const transport of transports) transport.break();
      for (const answer of unanswered) answer();
    },
  };
}

/** Resolves when one of `answers` is called; rejects once nobody has for too long. */
function unansweredFor(ms: number, answers: Set<() => void>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(connectFailed("timed_out")), ms).unref();
  answers.add(resolve);
  return promise.finally(() => {
    clearTimeout(timer);
    answers.delete(resolve);
  });
}

class LegTransport implements Transport {
  onGone: () => void = () => {};
  readonly #inner: Transport;
  readonly #events: TransportEvents;
  readonly #faults: Faults;
  readonly #latency: Latency;
  readonly #silenceMs: number;
  readonly #out: DelayLine;
  readonly #in: DelayLine;
  #queue: { message: Buffer; copySql: string | undefined }[] = [];
  #isGone = false;
  /** Runs since something was swallowed. */
  #silence: NodeJS.Timeout | null = null;

  constructor(connect: Connect, events: TransportEvents, { latency, faults, silenceMs }: OriginLegOptions) {
    this.#silenceMs = silenceMs;
    this.#events = events;
    this.#faults = faults;
    this.#latency = latency;
    this.#out = latency.line("edgeOrigin");
    this.#in = latency.line("edgeOrigin");
    this.#inner = connect({
      received: (chunk) => this.#received(chunk),
      drained: () => events.drained(),
      gone: () => this.#in.push(() => this.#gone()),
    });
  }

  get congested(): boolean {
    return this.#inner.congested;
  }

  send(message: Buffer, copySql?: string): void {
    if (this.#isClear(this.#out)) this.#inner.send(message, copySql);
    else this.#queue.push({ message, copySql });
  }

  flush(): void {
    if (this.#queue.length === 0) {
      this.#inner.flush();
      return;
    }
    const batch = this.#queue;
    this.#queue = [];
    if (this.#faults.isOn("half-open")) {
      this.#swallow();
      return;
    }
    this.#out.push(() => {
      if (this.#isGone) return;
      for (const { message, copySql } of batch) this.#inner.send(message, copySql);
      this.#inner.flush();
    });
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  async cancel(): Promise<void> {
    if (!this.#faults.isOn("half-open")) await this.#inner.cancel();
  }

  rest(): void {
    this.#inner.rest();
  }

  end(): void {
    this.flush();
    this.#out.push(() => this.#inner.end());
  }

  destroy(): void {
    this.#inner.destroy();
    this.#gone();
  }

  /** The connection is lost, without a word. */
  break(): void {
    this.#inner.destroy();
    this.#gone();
  }

  #received(chunk: Buffer): void {
    if (this.#isClear(this.#in)) {
      this.#events.received(chunk);
      return;
    }
    if (this.#faults.isOn("half-open")) {
      this.#swallow();
      return;
    }
    this.#in.push(() => {
      if (this.#isGone) return;
      if (!this.#faults.isOn("sliced")) this.#events.received(chunk);
      else for (const slice of slices(chunk)) this.#events.received(slice);
    });
  }

  #swallow(): void {
    this.#silence ??= setTimeout(() => this.break(), this.#silenceMs).unref();
  }

  /** Nothing delays or breaks, and nothing is under way that must not be overtaken. */
  #isClear(line: DelayLine): boolean {
    return !this.#isGone && this.#queue.length === 0 && line.isIdle && this.#faults.isCalm && !this.#latency.isOn;
  }

  #gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    if (this.#silence !== null) clearTimeout(this.#silence);
    this.onGone();
    this.#events.gone();
  }
}
