import type { StatementFault } from "../legs/faults.ts";
import { cancelled, fatal, WireError } from "../wire/errors.ts";
import type { FrameReader } from "../wire/frame-reader.ts";
import { CLIENT, readyForQuery, STATUS } from "../wire/protocol.ts";
import type { Dispatcher } from "./dispatch.ts";
import type { Loan } from "./loan.ts";
import type { ClientOutput } from "./output.ts";
import type { Passage } from "./passage.ts";

/** The client that the messages are from. */
export interface Speaker {
  readonly hasEnded: boolean;
  /** A Query or an Execute is on its way, or answered. */
  ran(): void;
  /** A message is on its way to the origin. */
  sent(message: Buffer): void;
  finish(): void;
  fatal(error: WireError): void;
  /** Breaks its connection. */
  reset(): void;
}

interface Ways {
  speaker: Speaker;
  reader: FrameReader;
  loan: Loan;
  output: ClientOutput;
  dispatcher: Dispatcher;
  passage: Passage;
}

/** Takes one client's messages in order, as long as nothing has to be waited for. */
export class Intake {
  /** Nothing may follow before the origin has answered. */
  isHolding = false;
  /** A fault resets the connection at the next answer. */
  resetsAtAnswer = false;
  readonly #ways: Ways;
  /** A message taken from the reader that has to wait. */
  #waiting: Buffer | null = null;
  #isPumping = false;
  #isSkipping = false;

  constructor(ways: Ways) {
    this.#ways = ways;
  }

  get isBlocked(): boolean {
    const { speaker, loan, passage, output } = this.#ways;
    return (
      speaker.hasEnded ||
      loan.isPending ||
      this.isHolding ||
      passage.gate?.isWaiting === true ||
      loan.session?.transport.congested === true ||
      output.isFull
    );
  }

  /** Takes what has come. False: it is being done already, or there is no client any more. */
  pump(): boolean {
    const { speaker, passage, reader } = this.#ways;
    if (this.#isPumping || speaker.hasEnded) return false;
    this.#isPumping = true;
    try {
      while (!this.isBlocked) {
        const message = this.#waiting ?? passage.next() ?? reader.next();
        if (message === null) break;
        this.#waiting = null;
        if (!this.#handle(message)) this.#waiting = message;
      }
    } catch (error) {
      speaker.fatal(error instanceof WireError ? error : fatal("XX000", String(error)));
    } finally {
      this.#isPumping = false;
    }
    return true;
  }

  /** What waited for a session is cancelled, up to its Sync. */
  cancel(): void {
    const message = this.#waiting;
    this.#waiting = null;
    this.#ways.output.push(cancelled().encode());
    const isWhole = message?.[0] === CLIENT.query || message?.[0] === CLIENT.functionCall;
    if (isWhole) this.#ways.output.push(readyForQuery(STATUS.idle));
    else this.#isSkipping = true;
    this.#ways.output.send();
  }

  /** False: the message has to come again. */
  #handle(message: Buffer): boolean {
    const { speaker, loan, passage, dispatcher } = this.#ways;
    const type = message[0];
    if (type === CLIENT.terminate) {
      speaker.finish();
      return true;
    }
    if (type === CLIENT.password) throw fatal("08P01", "unexpected password message");
    if (this.#isSkipping) return this.#skip(type);
    const { session } = loan;
    if (session === null) return this.#offer(message);
    const fault = passage.pass(message, session);
    if (fault !== null && this.#strike(fault, message)) return true;
    const outcome = dispatcher.dispatch(session, message);
    if (outcome !== "sent" && session.outstanding > 0) this.isHolding = true;
    if (outcome === "retry") return false;
    if (type === CLIENT.query || type === CLIENT.execute) speaker.ran();
    speaker.sent(message);
    return true;
  }

  #skip(type: number | undefined): boolean {
    if (type !== CLIENT.sync) return true;
    this.#isSkipping = false;
    this.#ways.output.push(readyForQuery(STATUS.idle));
    this.#ways.output.send();
    return true;
  }

  /** A message of a client without a session. */
  #offer(message: Buffer): boolean {
    const { speaker, passage, output } = this.#ways;
    const answer = passage.offer(message);
    if (answer === "pass") return this.#handleAlone(message);
    if (answer === null) return true;
    output.push(answer);
    output.send();
    speaker.ran();
    return true;
  }

  #handleAlone(message: Buffer): boolean {
    const { dispatcher, loan, output } = this.#ways;
    const answer = dispatcher.answer(message);
    if (answer === null) {
      loan.acquire();
      return false;
    }
    if (answer.length > 0) output.push(answer);
    if (message[0] === CLIENT.sync || message[0] === CLIENT.flush) output.send();
    return true;
  }

  /** True: the message is done with. */
  #strike(fault: StatementFault, message: Buffer): boolean {
    const { speaker, loan, dispatcher } = this.#ways;
    if (fault.kind === "fail" && loan.session !== null) dispatcher.fail(loan.session, message, fault.error);
    else if (fault.kind === "end") speaker.fatal(fault.error);
    else if (fault.kind === "reset-before") speaker.reset();
    this.resetsAtAnswer = fault.kind === "reset-after";
    return !this.resetsAtAnswer;
  }
}
