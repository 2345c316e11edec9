import type { ClientSocket } from "../legs/client-leg.ts";
import { PreparedStatements } from "../prepared/prepared.ts";
import { shuttingDown, type WireError } from "../wire/errors.ts";
import type { FrameReader } from "../wire/frame-reader.ts";
import { CLIENT } from "../wire/protocol.ts";
import { Dispatcher } from "./dispatch.ts";
import { Intake, type Speaker } from "./intake.ts";
import { type Borrower, Loan } from "./loan.ts";
import type { ClientOptions } from "./options.ts";
import { ClientOutput } from "./output.ts";
import { Passage } from "./passage.ts";
import { StatementBound } from "./statement-bound.ts";

/** Unread input above this stops reading from the client. */
const INPUT_HIGH_WATER = 256 * 1024;
const HARMLESS =
  /^(?:SELECT|INSERT|UPDATE|DELETE|MERGE|BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET|RESET|SHOW|COPY|FETCH|MOVE|DECLARE|CLOSE|EXPLAIN|LOCK)\b/;

/**
 * A client after its startup: takes its messages in order, borrows a session for them and gives it back when the
 * origin reports that no transaction is open.
 */
export class Client implements Borrower, Speaker {
  hasEnded = false;
  readonly #socket: ClientSocket;
  readonly #reader: FrameReader;
  readonly #options: ClientOptions;
  readonly #dispatcher: Dispatcher;
  readonly #passage: Passage;
  #applicationName: string;
  readonly #bound: StatementBound;
  readonly #output: ClientOutput;
  readonly #loan: Loan;
  readonly #intake: Intake;
  #originAnswered = true;
  #hasChangedSchema = false;
  #hasChangedSettings = false;

  constructor(socket: ClientSocket, reader: FrameReader, options: ClientOptions) {
    this.#socket = socket;
    this.#reader = reader;
    this.#options = options;
    this.#applicationName = options.applicationName;
    this.#bound = new StatementBound(options.statementMs);
    this.#output = new ClientOutput(socket, options.observer);
    this.#loan = new Loan(this, options);
    const { door } = options;
    const prepared = new PreparedStatements(options);
    this.#dispatcher = new Dispatcher(prepared, door !== "origin");
    this.#passage = new Passage(this.#dispatcher, options);
    const [loan, output, dispatcher, passage] = [this.#loan, this.#output, this.#dispatcher, this.#passage];
    this.#intake = new Intake({ speaker: this, reader, loan, output, dispatcher, passage });
    this.#count("opened");
    this.#count("open");
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("drain", () => this.#drained());
    socket.on("close", () => this.#end());
  }

  /** Begins with what the client sent ahead of its startup's end. */
  start(): void {
    this.#pump();
  }

  /** Cancels what this client runs or waits for. A statement that PGlite runs cannot be stopped: it holds the thread. */
  cancel(): void {
    const { session } = this.#loan;
    if (session !== null) {
      if (session.outstanding > 0) void session.cancel();
      return;
    }
    if (!this.#loan.leave()) return;
    this.#passage.gate?.abandon();
    this.#intake.cancel();
    this.#pump();
  }

  /** Ends the connection as a server does that shuts down. */
  shutDown(): void {
    this.fatal(shuttingDown());
  }

  /** Enforces the bound on statements. */
  sweep(now: number): void {
    this.#bound.sweep(now, this.#loan.session);
  }

  begun(): void {
    this.#originAnswered = true;
    this.#pump();
  }

  refused(error: WireError): void {
    this.#passage.refused(error);
    this.fatal(error);
  }

  deliver(bytes: Buffer[]): boolean {
    this.#originAnswered = true;
    if (this.#intake.resetsAtAnswer) this.reset();
    if (this.hasEnded) return true;
    this.#passage.gate?.deliver(bytes);
    this.#output.push(...bytes);
    return this.#output.send();
  }

  settled(): void {
    const { session } = this.#loan;
    this.#originAnswered = true;
    // A queue that has drained is no answer yet.
    if (session === null || session.outstanding === 0 || session.copyIn) this.#intake.isHolding = false;
    this.#bound.watch(session);
    this.#pump();
  }

  free(): void {
    this.#originAnswered = true;
    this.#intake.isHolding = false;
    this.#passage.gate?.finish();
    if (this.#hasChangedSettings) {
      this.#hasChangedSettings = false;
      this.#intake.isHolding = true;
      void this.#loan.keepSettings();
      return;
    }
    this.#tellOfSchema();
    if (this.#options.dedicated) this.#bound.watch(this.#loan.session);
    else this.#release();
    this.#pump();
  }

  completed(tag: string): void {
    this.#bound.renew();
    if (this.#options.keepsSettings && /^(?:SET|RESET)\b/.test(tag)) this.#hasChangedSettings = true;
    if (HARMLESS.test(tag)) return;
    const { session } = this.#loan;
    if ((tag === "DISCARD ALL" || tag === "DEALLOCATE ALL") && session !== null) {
      this.#dispatcher.prepared.forget(session);
    }
    this.#hasChangedSchema = true;
  }

  reported(message: Buffer): void {
    const [name, value] = message.toString("utf8", 5).split("\0");
    if (name !== "application_name" || value === undefined) return;
    this.#options.stats.renamed(this.#options.door, this.#applicationName, value);
    this.#applicationName = value;
    if (this.#options.observer !== null) this.#options.observer.request = value;
  }

  lost(error: WireError | null): void {
    this.#loan.session = null;
    if (error !== null) this.fatal(error);
    else this.finish();
  }

  #received(chunk: Buffer): void {
    if (this.hasEnded) return;
    this.#options.observer?.transferred("bytesIn", chunk.length);
    const isGoodbye = chunk.length === 5 && chunk[0] === CLIENT.terminate && this.#reader.buffered === 0;
    if (this.#output.hasAnswered && !isGoodbye) {
      this.#output.hasAnswered = false;
      this.#count("flights");
    }
    this.#reader.push(chunk);
    this.#pump();
  }

  ran(): void {
    this.#count("statements");
  }

  sent(message: Buffer): void {
    if (this.#options.keepsSettings && message.includes("set_config")) this.#hasChangedSettings = true;
  }

  #pump(): void {
    if (!this.#intake.pump()) return;
    this.#flush();
    this.#throttle();
  }

  #release(): void {
    const { prepared } = this.#dispatcher;
    const { isTraceless } = prepared;
    this.#intake.isHolding = false;
    this.#bound.watch(null);
    prepared.released();
    this.#tellOfSchema();
    if (this.hasEnded) this.#loan.close();
    else this.#loan.end(isTraceless);
  }

  #tellOfSchema(): void {
    if (!this.#hasChangedSchema) return;
    this.#hasChangedSchema = false;
    this.#options.table.clear();
    this.#options.onSchemaChange();
  }

  #flush(): void {
    const { session } = this.#loan;
    if (session === null) return;
    session.flush();
    if (session.outstanding === 0) return;
    if (!this.#bound.isWatching) this.#bound.watch(session);
    if (!this.#originAnswered) return;
    this.#originAnswered = false;
    this.#count("originFlights");
  }

  #throttle(): void {
    if (this.#intake.isBlocked && this.#reader.buffered > INPUT_HIGH_WATER) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  #drained(): void {
    this.#loan.session?.resume();
    this.#pump();
  }

  #count(field: "opened" | "open" | "flights" | "originFlights" | "statements"): void {
    this.#options.stats.count(this.#options.door, this.#applicationName, field);
  }

  fatal(error: WireError): void {
    if (this.hasEnded) return;
    this.#output.push(error.encode());
    this.finish();
  }

  reset(): void {
    this.#output.reset();
    this.#end();
  }

  finish(): void {
    if (this.hasEnded) return;
    this.#output.hangUp();
    this.#end();
  }

  #end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.#passage.gate?.abandon();
    this.#release();
    this.#options.stats.closed(this.#options.door, this.#applicationName);
    this.#options.onEnd();
  }
}
