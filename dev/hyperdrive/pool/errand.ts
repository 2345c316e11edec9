import type { WireError } from "../wire/errors.ts";
import { CLIENT, query } from "../wire/protocol.ts";
import { type Answer, AnswerCollector } from "./answer.ts";
import type { Pool, Waiter } from "./pool.ts";
import type { Expectation, Session, Sink } from "./session.ts";

/** As whom a query runs: the user and what the startup packet set. */
export interface Identity {
  pool: Pool;
  assumeSql: string | null;
  settingsSql: readonly string[];
  /** For reports: the user and the startup settings in words. */
  description: string;
}

const KINDS: Readonly<Record<number, Expectation["kind"]>> = {
  [CLIENT.query]: "query",
  [CLIENT.parse]: "parse",
  [CLIENT.bind]: "bind",
  [CLIENT.describe]: "describe",
  [CLIENT.execute]: "execute",
  [CLIENT.sync]: "sync",
};

/** Runs one flight of messages at the origin on the edge's own behalf. Resolves with null when there is no answer to keep. */
export function runErrand(identity: Identity, messages: readonly Buffer[], limit: number): Promise<Answer | null> {
  return new Promise((resolve) => {
    identity.pool.acquire(new Errand({ identity, messages, limit, resolve }));
  });
}

interface Order {
  identity: Identity;
  messages: readonly Buffer[];
  limit: number;
  resolve: (result: Answer | null) => void;
}

class Errand implements Waiter, Sink {
  readonly #order: Order;
  readonly #answer: AnswerCollector;
  #session: Session | null = null;
  #isAsked = false;
  #lift: () => void = () => {};

  constructor(order: Order) {
    this.#order = order;
    this.#answer = new AnswerCollector(order.limit);
  }

  granted(session: Session): void {
    session.sink = this;
    this.#session = session;
    this.#lift = this.#order.identity.pool.limit(session);
    void this.#begin(session);
  }

  failed(): void {
    this.#order.resolve(null);
  }

  deliver(bytes: Buffer[]): boolean {
    this.#answer.push(bytes);
    return true;
  }

  settled(): void {}

  free(): void {
    if (this.#isAsked) this.#leave(this.#answer.result());
  }

  completed(): void {}

  reported(): void {}

  lost(): void {
    this.#lift();
    this.#session = null;
    this.#order.resolve(null);
  }

  async #begin(session: Session): Promise<void> {
    const { assumeSql, settingsSql } = this.#order.identity;
    for (const sql of assumeSql === null ? settingsSql : [assumeSql, ...settingsSql]) {
      const error: WireError | null = await session.run(sql);
      if (error === null) continue;
      this.#leave(null);
      return;
    }
    if (this.#session === null) return;
    this.#isAsked = true;
    for (const message of this.#order.messages) {
      const kind = KINDS[message[0] ?? 0];
      session.send(message, kind === undefined ? null : { kind });
    }
    session.flush();
  }

  #leave(result: Answer | null): void {
    const session = this.#session;
    if (session === null) return;
    this.#lift();
    this.#session = null;
    session.sink = null;
    this.#order.identity.pool.release(session);
    this.#order.resolve(result);
  }
}

/** A Query message as a flight of its own. */
export function simpleFlight(sql: string): Buffer[] {
  return [query(sql)];
}
