import type { Gate } from "../cache/gate.ts";
import type { StatementFault } from "../legs/faults.ts";
import type { Session } from "../pool/session.ts";
import type { WireError } from "../wire/errors.ts";
import type { Dispatcher } from "./dispatch.ts";
import type { ClientInstruments } from "./options.ts";

/** One client's way to the origin: past the gate, the observer and the faults, as far as its door has them. */
export class Passage {
  readonly gate: Gate | null;
  readonly #dispatcher: Dispatcher;
  readonly #instruments: ClientInstruments;
  /** Messages that the gate has kept and given back. */
  #replay: Buffer[] = [];
  #isReplaying = false;
  #passed: Buffer | null = null;
  /** What last came through without a session: it is what one is asked for. */
  #unserved: Buffer | null = null;

  constructor(dispatcher: Dispatcher, instruments: ClientInstruments) {
    this.#dispatcher = dispatcher;
    this.#instruments = instruments;
    this.gate = instruments.openGate?.(dispatcher.prepared) ?? null;
  }

  /** The next message that the gate gave back, or null. */
  next(): Buffer | null {
    const message = this.#replay.shift() ?? null;
    this.#isReplaying = message !== null;
    return message;
  }

  /** For a message of a client without a session: the answer to it, null when there is none yet, or `pass`. */
  offer(message: Buffer): Buffer | "pass" | null {
    const step = this.gate === null || this.#isReplaying ? "pass" : this.gate.offer(message);
    if (step === "pass") {
      this.#unserved = message;
      return step;
    }
    if (step === "kept") return null;
    if ("answer" in step) return step.answer;
    this.#replay = step.replay;
    return null;
  }

  /** There is no session for what last came through. */
  refused({ message }: WireError): void {
    const { observer } = this.#instruments;
    if (observer === null || this.#unserved === null) return;
    const reason = `it got no session: ${message}`;
    const { status } = this.gate?.unserved() ?? { status: "disabled" };
    observer.record(this.#dispatcher.sqlBehind(this.#unserved), { status, reason });
  }

  /** A message is about to go to the origin. Returns the fault that strikes it, if one does. */
  pass(message: Buffer, session: Session): StatementFault | null {
    const { observer, faults } = this.#instruments;
    this.#unserved = null;
    // It comes again when the session was not ready for it.
    if (observer === null || this.#passed === message) return null;
    this.#passed = message;
    const sql = session.copyIn || session.skipping ? null : this.#dispatcher.sqlOf(message);
    if (this.gate !== null) this.gate.passing(message, session);
    else if (sql !== null) observer.record(sql, { status: "disabled", reason: "this door has no cache" });
    return sql === null ? null : (faults?.forStatement(sql) ?? null);
  }
}
