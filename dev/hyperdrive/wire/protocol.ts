/**
 * Names and SQL are kept as latin1 strings: one character per byte, so that nothing is lost whatever the client's
 * encoding is, and comparing or scanning them for ASCII words is right in every encoding Postgres accepts from a client.
 */
export type Bytes = string;

const code = (letter: string) => letter.charCodeAt(0);

/** Type bytes of the messages a client sends. */
export const CLIENT = {
  bind: code("B"),
  close: code("C"),
  copyData: code("d"),
  copyDone: code("c"),
  copyFail: code("f"),
  describe: code("D"),
  execute: code("E"),
  flush: code("H"),
  functionCall: code("F"),
  parse: code("P"),
  password: code("p"),
  query: code("Q"),
  sync: code("S"),
  terminate: code("X"),
} as const;

/** Type bytes of the messages a server sends. */
export const SERVER = {
  authentication: code("R"),
  backendKey: code("K"),
  bindComplete: code("2"),
  closeComplete: code("3"),
  commandComplete: code("C"),
  copyData: code("d"),
  copyIn: code("G"),
  dataRow: code("D"),
  emptyQuery: code("I"),
  error: code("E"),
  negotiateVersion: code("v"),
  noData: code("n"),
  notice: code("N"),
  notification: code("A"),
  parameterDescription: code("t"),
  parameterStatus: code("S"),
  parseComplete: code("1"),
  portalSuspended: code("s"),
  ready: code("Z"),
  rowDescription: code("T"),
} as const;

/** The transaction status that ReadyForQuery carries. */
export const STATUS = { idle: code("I"), open: code("T"), failed: code("E") } as const;

/** What a CancelRequest shows to be let in. */
export interface CancelKey {
  processId: number;
  secret: number;
}

/** One message: type byte, length, the parts; a string has one byte for each of its characters. */
export function frame(type: number, ...parts: (Buffer | string)[]): Buffer {
  let size = 5;
  for (const part of parts) size += part.length;
  const message = Buffer.allocUnsafe(size);
  message[0] = type;
  message.writeInt32BE(size - 1, 1);
  let offset = 5;
  for (const part of parts) {
    if (typeof part === "string") message.write(part, offset, "latin1");
    else message.set(part, offset);
    offset += part.length;
  }
  return message;
}

export function int16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeInt16BE(value);
  return bytes;
}

export function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** UTF-8 text with its closing NUL. */
export function text(value: string): Buffer {
  return Buffer.from(`${value}\0`, "utf8");
}

export function readyForQuery(status: number): Buffer {
  return frame(SERVER.ready, Buffer.of(status));
}

export function parameterStatus(name: string, value: string): Buffer {
  return frame(SERVER.parameterStatus, text(name), text(value));
}

/** A Query message from SQL of our own. */
export function query(sql: string): Buffer {
  return frame(CLIENT.query, text(sql));
}
