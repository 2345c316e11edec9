import { randomBytes } from "node:crypto";
import type { ClientSocket } from "../legs/client-leg.ts";
import { fatal, protocolViolation, WireError } from "../wire/errors.ts";
import { FrameReader } from "../wire/frame-reader.ts";
import { type CancelKey, CLIENT, frame, int32, SERVER, text } from "../wire/protocol.ts";
import { ScramServer, type ScramVerifier } from "../wire/scram.ts";

const PROTOCOL_3 = 3;
const CANCEL_REQUEST = 80877102;
const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const STARTUP_MS = 60_000;
const STARTUP_LIMIT = 10_000;
const MECHANISM = "SCRAM-SHA-256";

/** What a client said about itself. */
export interface Greeting {
  user: string;
  database: string;
  applicationName: string;
  /** Run-time settings from the startup packet and its `options`, names in lower case. */
  settings: Map<string, string>;
}

export interface StartupOptions {
  /** Absent: everybody is trusted. */
  verifier: ScramVerifier | null;
  messageLimit: number;
  /** The client has proved itself. What it sent ahead is in the reader. */
  onGreeting: (greeting: Greeting, reader: FrameReader) => void;
  onCancel: (key: CancelKey) => void;
}

/** Takes a connection from its first byte to the point where it is authenticated, or closes it. */
export class Startup {
  readonly #socket: ClientSocket;
  readonly #options: StartupOptions;
  readonly #reader: FrameReader;
  /** Bytes that trickle in do not prolong it. */
  readonly #limit: NodeJS.Timeout;
  readonly #onData = (chunk: Buffer) => this.#received(chunk);
  #greeting: Greeting | null = null;
  #scram: ScramServer | null = null;
  #isChallenged = false;
  /** Ways of encryption that it has asked for. */
  readonly #declined = new Set<number>();
  #isOver = false;

  constructor(socket: ClientSocket, options: StartupOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#reader = new FrameReader(options.messageLimit);
    this.#limit = setTimeout(() => socket.destroy(), STARTUP_MS);
    socket.once("close", () => clearTimeout(this.#limit));
    socket.on("data", this.#onData);
  }

  #received(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#reader.push(chunk);
    try {
      while (!this.#isOver) {
        const message = this.#greeting === null ? this.#reader.nextStartup() : this.#reader.next(STARTUP_LIMIT);
        if (message === null) return;
        if (this.#greeting === null) this.#greet(message);
        else this.#authenticate(message, this.#greeting);
      }
    } catch (error) {
      this.#close(error instanceof WireError ? error.encode() : fatal("XX000", String(error)).encode());
    }
  }

  #greet(packet: Buffer): void {
    const code = packet.readInt32BE(4);
    if ((code === SSL_REQUEST || code === GSS_REQUEST) && !this.#declined.has(code)) {
      this.#declined.add(code);
      this.#socket.write("N");
      // It could be somebody between the client and us who sent it.
      if (this.#reader.buffered > 0) throw protocolViolation("received unencrypted data after encryption request");
    } else if (code === CANCEL_REQUEST) {
      if (packet.length === 16) {
        this.#options.onCancel({ processId: packet.readInt32BE(8), secret: packet.readInt32BE(12) });
      }
      this.#close();
    } else if (code >> 16 === PROTOCOL_3) {
      this.#start(packet, code & 0xffff);
    } else {
      throw fatal("0A000", `unsupported frontend protocol ${code >> 16}.${code & 0xffff}: server supports 3.0`);
    }
  }

  #start(packet: Buffer, minor: number): void {
    const { greeting, extensions } = readGreeting(packet);
    if (minor > 0 || extensions.length > 0) {
      const names = extensions.map(text);
      this.#socket.write(frame(SERVER.negotiateVersion, int32(PROTOCOL_3 << 16), int32(names.length), ...names));
    }
    this.#greeting = greeting;
    const { verifier } = this.#options;
    if (verifier === null) {
      this.#accept(greeting);
      return;
    }
    this.#scram = new ScramServer(verifier);
    this.#socket.write(frame(SERVER.authentication, int32(10), text(MECHANISM), Buffer.of(0)));
  }

  #authenticate(message: Buffer, greeting: Greeting): void {
    if (message[0] !== CLIENT.password || this.#scram === null) throw protocolViolation("expected password response");
    if (!this.#isChallenged) {
      this.#isChallenged = true;
      const challenge = this.#scram.challenge(readInitialResponse(message));
      if (challenge === null) throw protocolViolation("malformed SCRAM message");
      this.#socket.write(frame(SERVER.authentication, int32(11), Buffer.from(challenge)));
      return;
    }
    const final = this.#scram.verify(message.toString("utf8", 5));
    if (final === null) throw fatal("28P01", `password authentication failed for user "${greeting.user}"`);
    this.#socket.write(frame(SERVER.authentication, int32(12), Buffer.from(final)));
    this.#accept(greeting);
  }

  #accept(greeting: Greeting): void {
    this.#isOver = true;
    this.#socket.off("data", this.#onData);
    clearTimeout(this.#limit);
    this.#socket.pause();
    this.#options.onGreeting(greeting, this.#reader);
  }

  #close(last?: Buffer): void {
    this.#isOver = true;
    if (last === undefined) this.#socket.end();
    else this.#socket.end(last);
  }
}

/** A key for CancelRequest that nobody guesses. */
export function newCancelKey(processId: number): CancelKey {
  return { processId, secret: randomBytes(4).readInt32BE(0) };
}

function readInitialResponse(message: Buffer): string {
  const end = message.indexOf(0, 5);
  if (end === -1 || message.toString("latin1", 5, end) !== MECHANISM || message.length < end + 5) {
    throw protocolViolation("client selected an invalid SASL authentication mechanism");
  }
  return message.toString("utf8", end + 5);
}

function readGreeting(packet: Buffer): { greeting: Greeting; extensions: string[] } {
  const parts = packet.toString("utf8", 8).split("\0");
  const settings = new Map<string, string>();
  for (let index = 0; index + 1 < parts.length && parts[index] !== ""; index += 2) {
    settings.set(parts[index] ?? "", parts[index + 1] ?? "");
  }
  const take = (name: string) => {
    const value = settings.get(name);
    settings.delete(name);
    return value;
  };
  const user = take("user") ?? "";
  if (user === "") throw fatal("28000", "no PostgreSQL user name specified in startup packet");
  const database = take("database") ?? user;
  const replication = take("replication") ?? "false";
  if (!/^(?:false|off|no|0)$/i.test(replication)) throw fatal("0A000", "Hyperdrive does not support replication.");
  const options = readOptions(take("options") ?? "");
  const extensions = [...settings.keys()].filter((name) => name.startsWith("_pq_."));
  for (const name of extensions) settings.delete(name);
  const lowered = new Map([...options, ...settings].map(([name, value]) => [name.toLowerCase(), value]));
  return {
    greeting: { user, database, applicationName: lowered.get("application_name") ?? "", settings: lowered },
    extensions,
  };
}

/** Reads `-c name=value` and `--name=value` as the server does; a backslash keeps the next character as it is. */
function readOptions(options: string): [string, string][] {
  const words = (options.match(/(?:\\.|[^\s\\])+/gs) ?? []).map((word) => word.replace(/\\(.)/gs, "$1"));
  const settings: [string, string][] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    let assignment: string | undefined;
    if (word === "-c") assignment = words[++index];
    else if (word.startsWith("-c")) assignment = word.slice(2);
    else if (word.startsWith("--")) assignment = word.slice(2);
    const split = assignment?.indexOf("=") ?? -1;
    if (assignment === undefined || split < 1) throw fatal("22023", `invalid command-line argument: ${word}`);
    settings.push([assignment.slice(0, split).replaceAll("-", "_"), assignment.slice(split + 1)]);
  }
  return settings;
}
