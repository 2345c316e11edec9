import { type AnswerHandler, AnswerReader, type Piece } from "../wire/answer-reader.ts";
import { decodeError, type WireError } from "../wire/errors.ts";
import { Outlet } from "../wire/outlet.ts";
import { frame, SERVER, STATUS } from "../wire/protocol.ts";
import { answersOnly, completes, type Expectation, type Sink } from "./expectation.ts";
import type { Expectations } from "./expectations.ts";

/** The session that the answers are of. */
export interface Answered {
  readonly sink: Sink | null;
  readonly transport: { pause(): void };
  readonly closed: boolean;
  status: number;
  copyIn: boolean;
  isDisturbed: boolean;
  destroy(): void;
}

/** Takes what the origin answers to one session, message by message, and routes it to whoever has the session. */
export class Reception implements AnswerHandler {
  /** Whoever has the session has been told why it ends. */
  hasTold = false;
  readonly #session: Answered;
  readonly #expected: Expectations;
  readonly #reader = new AnswerReader(this);
  readonly #out = new Outlet();
  #queryFailed: WireError | null = null;
  #bulkPasses = false;

  constructor(session: Answered, expected: Expectations) {
    this.#session = session;
    this.#expected = expected;
  }

  get closed(): boolean {
    return this.#session.closed;
  }

  push(chunk: Buffer): void {
    this.#reader.push(chunk);
    this.flush();
  }

  /** Hands over what has come. */
  flush(): void {
    const bytes = this.#out.take();
    if (bytes.length > 0 && this.#session.sink?.deliver(bytes) === false) this.#session.transport.pause();
  }

  malformed(): void {
    this.#session.destroy();
  }

  bulk(part: Piece, isStart: boolean): void {
    const { current } = this.#expected;
    if (isStart) this.#bulkPasses = current?.silent !== true && current?.internal !== true;
    if (this.#bulkPasses) this.#pass(part);
    else current?.capture?.push(copyOf(part));
  }

  message(type: number, message: Piece): void {
    switch (type) {
      case SERVER.error:
        this.#error(message);
        break;
      case SERVER.ready:
        this.#ready(message);
        break;
      case SERVER.parameterStatus:
      case SERVER.notice:
      case SERVER.notification:
        if (this.#expected.current?.internal !== true) this.#aside(type, message);
        break;
      case SERVER.backendKey:
      case SERVER.authentication:
        break;
      default:
        this.#answer(type, message);
    }
  }

  #answer(type: number, message: Piece): void {
    const { current } = this.#expected;
    const completed = answersOnly(type);
    if (current === undefined || (completed !== undefined && completed !== current.kind)) {
      this.#session.destroy();
      return;
    }
    current.capture?.push(copyOf(message));
    if (current.silent !== true && current.internal !== true) this.#pass(message);
    if (type === SERVER.copyIn) {
      this.#session.copyIn = true;
      this.#settled();
    } else if (type === SERVER.commandComplete && current.internal !== true) {
      this.#session.sink?.completed(message.bytes.toString("latin1", message.from + 5, message.to - 1));
    }
    if (completes(current.kind, type)) this.#complete(current);
  }

  #complete(current: Expectation): void {
    this.#expected.shift();
    current.done?.();
    if (this.#expected.count === 0) this.#settled();
  }

  #error(message: Piece): void {
    const { current } = this.#expected;
    const error = decodeError(bytesOf(message));
    this.#session.copyIn = false;
    if (error.fields.severity === "FATAL") {
      this.hasTold = this.#session.sink !== null;
      this.#pass(message);
      return;
    }
    if (current?.internal !== true) this.#pass(told(message, current));
    if (current === undefined) return;
    if (current.kind === "query" || current.kind === "sync") {
      this.#queryFailed = error;
      return;
    }
    this.#expected.shift();
    current.failed?.(error);
    this.#expected.skipToSync();
    if (this.#expected.count === 0) this.#settled();
  }

  #ready(message: Piece): void {
    const { current } = this.#expected;
    if (current === undefined || (current.kind !== "sync" && current.kind !== "query")) {
      this.#session.destroy();
      return;
    }
    this.#session.status = message.bytes[message.from + 5] ?? STATUS.idle;
    if (current.silent !== true && current.internal !== true) this.#pass(message);
    const failed = this.#queryFailed;
    this.#queryFailed = null;
    this.#expected.shift();
    if (failed === null) current.done?.();
    else current.failed?.(failed);
    if (this.#expected.count > 0) return;
    if (this.#session.status !== STATUS.idle) {
      this.#settled();
      return;
    }
    this.flush();
    this.#session.sink?.free();
  }

  /** What belongs to no message that was sent. */
  #aside(type: number, message: Piece): void {
    if (type === SERVER.parameterStatus) {
      this.#session.isDisturbed = true;
      this.#session.sink?.reported(bytesOf(message));
    }
    this.#pass(message);
  }

  #settled(): void {
    this.flush();
    this.#session.sink?.settled();
  }

  #pass(piece: Piece): void {
    if (this.#session.sink !== null) this.#out.push(piece);
  }
}

function bytesOf({ bytes, from, to }: Piece): Buffer {
  return bytes.subarray(from, to);
}

/** Of its own memory: the chunk may be large. */
function copyOf(piece: Piece): Buffer {
  return Buffer.from(bytesOf(piece));
}

/** An error as its client is to hear it. */
function told(message: Piece, current: Expectation | undefined): Piece {
  if (current?.replacement !== undefined) return pieceOf(current.replacement.encode());
  if (current?.serverName === undefined || current.serverName === "") return message;
  const body = bytesOf(message).toString("latin1", 5);
  return pieceOf(
    frame(
      SERVER.error,
      body.replaceAll(`"${current.serverName}"`, () => `"${current.clientName}"`),
    ),
  );
}

function pieceOf(bytes: Buffer): Piece {
  return { bytes, from: 0, to: bytes.length };
}
