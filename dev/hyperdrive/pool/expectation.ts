import type { WireError } from "../wire/errors.ts";
import { type Bytes, SERVER } from "../wire/protocol.ts";

/** What the origin still owes for one message sent to it. */
export interface Expectation {
  kind: "parse" | "bind" | "describe" | "execute" | "close" | "sync" | "query";
  /** Its answer is not for the client; an error still is. */
  silent?: boolean;
  /** The edge's own business: not even an error is for the client. */
  internal?: boolean;
  /** The message was made to fail; this is the error to tell. */
  replacement?: WireError;
  /** What the origin calls the statement, and what its client does: errors tell the latter. */
  serverName?: Bytes;
  clientName?: Bytes;
  /** Collects the messages of the answer. */
  capture?: Buffer[];
  done?: () => void;
  /** The error, or null when it was skipped because of an earlier one. */
  failed?: (error: WireError | null) => void;
}

/** Whoever has the session on loan. */
export interface Sink {
  /** Takes answers; false asks for a pause until `Session.resume()`. */
  deliver(bytes: Buffer[]): boolean;
  /** A good moment to go on sending: nothing is outstanding any more, the origin waits for COPY data, or a queue has drained. */
  settled(): void;
  /** ReadyForQuery outside a transaction, and nothing outstanding: the loan may end. */
  free(): void;
  /** A command completed; `tag` as in CommandComplete. */
  completed(tag: string): void;
  /** A setting the origin reports has changed. */
  reported(message: Buffer): void;
  /** The session is gone. Null: its last error has been delivered. */
  lost(error: WireError | null): void;
}

const COMPLETES: Readonly<Record<number, Expectation["kind"]>> = {
  [SERVER.parseComplete]: "parse",
  [SERVER.bindComplete]: "bind",
  [SERVER.closeComplete]: "close",
};

/** The kind of message that only this type answers. */
export function answersOnly(type: number): Expectation["kind"] | undefined {
  return COMPLETES[type];
}

/** Whether a message of this type ends the answer to such a message. */
export function completes(kind: Expectation["kind"], type: number): boolean {
  switch (kind) {
    case "describe":
      return type === SERVER.rowDescription || type === SERVER.noData;
    case "execute":
      return type === SERVER.commandComplete || type === SERVER.emptyQuery || type === SERVER.portalSuspended;
    default:
      return COMPLETES[type] === kind;
  }
}
