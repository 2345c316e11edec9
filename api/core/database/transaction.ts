import { AsyncLocalStorage } from "node:async_hooks";
import type { QueryConfig, QueryResult } from "pg";
import type { Connection, Send, Statement } from "./connection.ts";

export interface TransactionOptions {
  /** The statements that open the transaction, sent in one flight with the first statement of the callback. */
  prelude: string;
  readOnly: boolean;
}

/** The savepoint that the running code is in: what it left running must not go on once it is undone. */
const points = new AsyncLocalStorage<{ ended: boolean }>();

/** Thrown when Postgres answers COMMIT with ROLLBACK: a statement had failed and its error was swallowed. */
export class RolledBackError extends Error {
  override name = "RolledBackError";
}

/** How the statements of one transaction travel, until it ends. */
export class TransactionClient {
  readonly #send: Send;
  readonly #opened: Promise<QueryResult>;
  readonly #trailing: QueryConfig[] = [];
  #points = 0;
  #failure: unknown;
  #open = true;

  constructor(send: Send, prelude: string) {
    this.#send = send;
    this.#opened = send(prelude);
    // The failure reaches whoever waits for a row; nobody may wait for one.
    this.#opened.catch(() => {});
  }

  /** Sends a statement; its rows are handed out only once the prelude has held. */
  async query(statement: Statement, values?: unknown[]): Promise<QueryResult> {
    this.#refuseLate();
    try {
      const [, answer] = await settled(this.#opened, this.#send(statement, values));
      return answer;
    } catch (error) {
      throw this.#causeOf(error);
    }
  }

  #refuseLate(): void {
    if (!this.#open) throw new Error("tx was used after its transaction had ended: await every statement");
    if (points.getStore()?.ended) throw new Error("tx was used after its savepoint had ended: await every statement");
  }

  /** What broke the transaction, for the statements behind it that merely found it broken. */
  #causeOf(error: unknown): unknown {
    this.#failure ??= error;
    return error instanceof Error && "code" in error && error.code === "25P02" ? this.#failure : error;
  }

  /** Keeps a statement back until COMMIT and sends both in one flight; a savepoint that is undone takes it along. */
  withCommit(statement: QueryConfig): void {
    this.#refuseLate();
    this.#trailing.push(statement);
  }

  /** Runs `work` between SAVEPOINT and RELEASE; a throw undoes what it did and is thrown on. */
  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    this.#points += 1;
    const name = `point_${this.#points}`;
    const kept = this.#trailing.length;
    const point = { ended: false };
    const started = this.query(`savepoint ${name}`);
    try {
      const [, result] = await settled(started, points.run(point, work));
      point.ended = true;
      await this.query(`release savepoint ${name}`);
      return result;
    } catch (error) {
      point.ended = true;
      this.#trailing.length = kept;
      await this.query(`rollback to savepoint ${name}`);
      this.#failure = undefined;
      throw error;
    }
  }

  /** Whether something is kept back until COMMIT. */
  get trails(): boolean {
    return this.#trailing.length > 0;
  }

  /** Waits for the prelude alone, and lets no further statement in. */
  async end(): Promise<void> {
    this.#open = false;
    await this.#opened;
  }

  /**
   * Sends what was kept back, and COMMIT, in one flight.
   * @throws the first failure of what was kept back; RolledBackError when Postgres rolled back for another reason.
   */
  async commit(): Promise<void> {
    const trailing = this.#trailing.map((statement) => this.#send(statement));
    const [, { command }] = await settled(Promise.all(trailing), this.#send("commit"));
    if (command !== "COMMIT") throw new RolledBackError(`COMMIT was answered with ${command}`);
  }
}

/** Both answers, or the first one's error before the second's. */
async function settled<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  second.catch(() => {});
  return [await first, await second];
}

/**
 * Runs `work` in one transaction. A throw rolls back and is thrown on; a read's COMMIT travels behind, waited for by
 * nobody; a write's COMMIT is awaited.
 * @throws RolledBackError when Postgres rolled back instead of committing.
 */
export function transaction<T>(
  connection: Connection,
  { prelude, readOnly }: TransactionOptions,
  work: (client: TransactionClient) => Promise<T>,
): Promise<T> {
  return connection.exclusively(async (send) => {
    const client = new TransactionClient(send, prelude);
    try {
      const result = await work(client);
      await client.end();
      // What a read keeps back is a write: Postgres is to refuse it, aloud.
      if (readOnly && !client.trails) connection.background("commit");
      else await client.commit();
      return result;
    } catch (error) {
      await client.end().catch(() => {});
      if (!(error instanceof RolledBackError)) connection.background("rollback");
      throw error;
    }
  });
}
