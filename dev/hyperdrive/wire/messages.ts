import { protocolViolation } from "./errors.ts";
import { type Bytes, CLIENT, frame } from "./protocol.ts";

export interface ParseMessage {
  name: Bytes;
  sql: Bytes;
  /** SQL and parameter types as they stand in the message: all that follows the name. */
  tail: Buffer;
}

export function readParse(message: Buffer): ParseMessage {
  const nameEnd = terminator(message, 5);
  const sqlEnd = terminator(message, nameEnd + 1);
  const types = message.length - sqlEnd - 1;
  if (types < 2 || types !== 2 + 4 * message.readInt16BE(sqlEnd + 1)) {
    throw protocolViolation("invalid message format");
  }
  return {
    name: message.toString("latin1", 5, nameEnd),
    sql: message.toString("latin1", nameEnd + 1, sqlEnd),
    tail: message.subarray(nameEnd + 1),
  };
}

export function writeParse(name: Bytes, tail: Buffer): Buffer {
  return frame(CLIENT.parse, `${name}\0`, tail);
}

export interface BindMessage {
  portal: Bytes;
  statement: Bytes;
  /** Formats and values as they stand in the message. */
  tail: Buffer;
}

export function readBind(message: Buffer): BindMessage {
  const portalEnd = terminator(message, 5);
  const statementEnd = terminator(message, portalEnd + 1);
  return {
    portal: message.toString("latin1", 5, portalEnd),
    statement: message.toString("latin1", portalEnd + 1, statementEnd),
    tail: message.subarray(statementEnd + 1),
  };
}

export function writeBind(bind: BindMessage): Buffer {
  return frame(CLIENT.bind, `${bind.portal}\0${bind.statement}\0`, bind.tail);
}

export interface TargetMessage {
  target: "statement" | "portal";
  name: Bytes;
}

/** Reads a Describe or a Close. */
export function readTarget(message: Buffer): TargetMessage {
  const kind = message[5];
  const end = terminator(message, 6);
  if ((kind !== 0x53 && kind !== 0x50) || end !== message.length - 1) throw protocolViolation("invalid message format");
  return { target: kind === 0x53 ? "statement" : "portal", name: message.toString("latin1", 6, end) };
}

export function writeTarget(type: number, target: TargetMessage["target"], name: Bytes): Buffer {
  return frame(type, `${target === "statement" ? "S" : "P"}${name}\0`);
}

/** The portal an Execute runs. */
export function readExecute(message: Buffer): Bytes {
  const end = terminator(message, 5);
  if (message.length !== end + 5) throw protocolViolation("invalid message format");
  return message.toString("latin1", 5, end);
}

/** The SQL of a Query. */
export function readQuery(message: Buffer): Bytes {
  const end = terminator(message, 5);
  if (end !== message.length - 1) throw protocolViolation("invalid message format");
  return message.toString("latin1", 5, end);
}

function terminator(message: Buffer, from: number): number {
  const end = from <= message.length ? message.indexOf(0, from) : -1;
  if (end === -1) throw protocolViolation("invalid string in message");
  return end;
}
