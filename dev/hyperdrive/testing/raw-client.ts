import { connect, type Socket } from "node:net";
import { CLIENT, frame, int16, int32, query, SERVER, text } from "../wire/protocol.ts";

export interface Message {
  type: string;
  body: Buffer;
}

/** A client that speaks the protocol byte by byte, for what no driver would send. */
export class RawClient {
  readonly socket: Socket;
  readonly messages: Message[] = [];
  processId = 0;
  secret = 0;
  closed = false;
  #buffer = Buffer.alloc(0);
  #wake: (() => void)[] = [];

  constructor(port: number) {
    this.socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.closed = true;
      this.#notify();
    });
    this.socket.on("data", (chunk: Buffer) => this.#received(chunk));
  }

  static async open(port: number, user = "app", settings: Record<string, string> = {}): Promise<RawClient> {
    const client = new RawClient(port);
    client.socket.write(startupPacket({ user, database: "postgres", ...settings }));
    await client.until("Z");
    const key = client.messages.find(({ type }) => type === "K");
    if (key === undefined) throw new Error(`no key: ${client.types()}`);
    client.processId = key.body.readInt32BE(0);
    client.secret = key.body.readInt32BE(4);
    client.messages.length = 0;
    return client;
  }

  send(...frames: Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** Waits for `count` messages of a type, or the end; takes everything received so far. */
  async until(type: string, count = 1): Promise<Message[]> {
    while (this.messages.filter((message) => message.type === type).length < count && !this.closed) {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
    return this.messages.slice();
  }

  /** Waits for something to come; false when that long nothing did, or nothing will. */
  async next(limitMs: number): Promise<boolean> {
    if (this.closed) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), limitMs);
    this.#wake.push(() => resolve(true));
    const hasCome = await promise;
    clearTimeout(timer);
    return hasCome;
  }

  async ended(): Promise<Message[]> {
    while (!this.closed) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return this.messages.slice();
  }

  /** Sends, waits for that many ReadyForQuery, and takes the answer. */
  async ask(frames: Buffer[], count = 1): Promise<Message[]> {
    this.messages.length = 0;
    this.send(...frames);
    const answer = await this.until("Z", count);
    this.messages.length = 0;
    return answer;
  }

  types(): string {
    return typesOf(this.messages);
  }

  #received(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    while (this.#buffer.length >= 5) {
      const size = this.#buffer.readInt32BE(1) + 1;
      if (this.#buffer.length < size) break;
      const type = String.fromCharCode(this.#buffer[0] ?? 0);
      this.messages.push({ type, body: Buffer.from(this.#buffer.subarray(5, size)) });
      this.#buffer = this.#buffer.subarray(size);
    }
    this.#notify();
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

export function typesOf(messages: Message[]): string {
  return messages.map(({ type }) => type).join("");
}

/** First columns of the rows, as text. */
export function rowsOf(messages: Message[]): string[] {
  return messages
    .filter(({ type }) => type === "D")
    .map(({ body }) => body.toString("utf8", 6, 6 + Math.max(0, body.readInt32BE(2))));
}

export function errorOf(messages: Message[]): Record<string, string> | null {
  const error = messages.find(({ type }) => type.charCodeAt(0) === SERVER.error);
  if (error === undefined) return null;
  const parts = error.body.toString("utf8").split("\0");
  return Object.fromEntries(parts.filter((part) => part !== "").map((part) => [part.charAt(0), part.slice(1)]));
}

export function startupPacket(parameters: Record<string, string>): Buffer {
  const body = Buffer.concat([int32(3 << 16), ...Object.entries(parameters).flat().map(text), Buffer.of(0)]);
  return Buffer.concat([int32(body.length + 4), body]);
}

export const q = query;
export const parse = (name: string, sql: string) => frame(CLIENT.parse, text(name), text(sql), int16(0));
export const bind = (statement: string, ...values: string[]) =>
  frame(
    CLIENT.bind,
    text(""),
    text(statement),
    int16(0),
    int16(values.length),
    ...values.flatMap((value) => [int32(Buffer.byteLength(value)), Buffer.from(value)]),
    int16(0),
  );
export const describeStatement = (name: string) => frame(CLIENT.describe, "S", text(name));
export const execute = (limit = 0) => frame(CLIENT.execute, text(""), int32(limit));
export const closeStatement = (name: string) => frame(CLIENT.close, "S", text(name));
export const sync = frame(CLIENT.sync);
export const flush = frame(CLIENT.flush);
export const copyData = (data: string) => frame(CLIENT.copyData, Buffer.from(data));
export const copyDone = frame(CLIENT.copyDone);
export const copyFail = (reason: string) => frame(CLIENT.copyFail, text(reason));
