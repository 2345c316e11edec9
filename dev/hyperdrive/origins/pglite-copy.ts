import { CLIENT, frame, int16, SERVER } from "../wire/protocol.ts";

const LIMIT = 512 * 1024 * 1024;
const TOO_MUCH = frame(CLIENT.copyFail, `PGlite takes at most ${LIMIT} bytes of COPY data\0`);

/** CopyInResponse in text format, for when the real one cannot be had beforehand. */
export const PLAIN_COPY_IN = frame(SERVER.copyIn, Buffer.of(0), int16(0));
/** Ends a COPY that has begun; Postgres ignores it otherwise. */
export const ABANDON = frame(CLIENT.copyFail, "no data\0");
export const ABANDON_SEVERAL = frame(
  CLIENT.copyFail,
  "PGlite takes COPY from stdin only as a statement of its own, without others beside it\0",
);

/** The data of a COPY under way: PGlite reads from memory and dies when it runs dry, so all of it must be there at once. */
export class PendingCopy {
  readonly #start: Buffer;
  #data: Buffer[] = [];
  #size = 0;

  /** `start`: the message that runs the COPY. */
  constructor(start: Buffer) {
    this.#start = start;
  }

  add(data: Buffer): void {
    this.#size += data.length;
    if (this.#size <= LIMIT) this.#data.push(data);
    else this.#data = [];
  }

  /** The messages to run, once CopyDone or CopyFail has come. */
  finish(last: Buffer): Buffer[] {
    return this.#size > LIMIT ? [this.#start, TOO_MUCH] : [this.#start, ...this.#data, last];
  }
}

/** The first message of this type in an answer. */
export function findMessage(answer: Buffer, type: number): Buffer | null {
  for (const message of messagesIn(answer)) if (message[0] === type) return message;
  return null;
}

/** How many messages of this type are in an answer. */
export function countMessages(answer: Buffer, type: number): number {
  let count = 0;
  for (const message of messagesIn(answer)) if (message[0] === type) count++;
  return count;
}

/** Whether an error came that no ReadyForQuery has followed. */
export function endsInError(answer: Buffer): boolean {
  let isError = false;
  for (const [type] of messagesIn(answer)) {
    if (type === SERVER.error) isError = true;
    else if (type === SERVER.ready) isError = false;
  }
  return isError;
}

function* messagesIn(answer: Buffer): Generator<Buffer> {
  for (let at = 0; at + 5 <= answer.length; ) {
    const end = at + 1 + answer.readInt32BE(at + 1);
    // What PGlite says as it breaks down need be no message.
    if (end < at + 5) return;
    yield answer.subarray(at, end);
    at = end;
  }
}

/** The answer without its CopyInResponse, which the client has had already. */
export function withoutCopyIn(answer: Buffer): Buffer {
  const found = findMessage(answer, SERVER.copyIn);
  if (found === null) return answer;
  const at = found.byteOffset - answer.byteOffset;
  return Buffer.concat([answer.subarray(0, at), answer.subarray(at + found.length)]);
}
