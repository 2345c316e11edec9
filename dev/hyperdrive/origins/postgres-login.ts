import { createHash } from "node:crypto";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { connectFailed, decodeError } from "../wire/errors.ts";
import { type CancelKey, CLIENT, frame, int32, SERVER, text } from "../wire/protocol.ts";
import { ScramClient } from "../wire/scram.ts";
import type { ServerAddress } from "./postgres-address.ts";

/** Where the server is, and how long each step there may take. */
export type Address = Omit<ServerAddress, "options" | "connectMs"> & { timeoutMs: number };

export interface Credentials {
  user: string;
  password: string;
  database: string;
  /** As in the startup packet; empty: none. */
  options: string;
  timeoutMs: number;
}

export interface LoggedIn {
  parameters: Map<string, string>;
  key: CancelKey;
  /** What came behind the end of the login. */
  rest: Buffer;
}

const LARGEST_MESSAGE = 64 * 1024;
const SSL_REQUEST = Buffer.concat([int32(8), int32(80877103)]);
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection_refused",
  ECONNRESET: "connection_reset",
  EACCES: "permission_denied",
  EHOSTUNREACH: "host_unreachable",
  ENETUNREACH: "network_unreachable",
  ENOENT: "socket_not_found",
  ENOTFOUND: "dns_lookup_failed",
  ETIMEDOUT: "timed_out",
};

/** Connects, with TLS where the mode asks for it; a Unix socket has none. Rejects with 58000 and the reason in Hyperdrive's words. */
export async function openSocket(address: Address): Promise<Socket> {
  const { host, port } = address;
  const isLocal = host.startsWith("/");
  const socket = connect(isLocal ? { path: `${host}/.s.PGSQL.${port}` } : { host, port, noDelay: true });
  try {
    await within(socket, address.timeoutMs, (resolve) => socket.once("connect", resolve));
    const isPlain = isLocal || address.sslMode === "disable" || address.sslMode === "allow";
    return isPlain ? socket : await upgrade(socket, address);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function upgrade(socket: Socket, address: Address): Promise<Socket> {
  socket.write(SSL_REQUEST);
  const answer = await within<Buffer>(socket, address.timeoutMs, (resolve) => socket.once("data", resolve));
  if (answer.toString("latin1") === "N" && address.sslMode === "prefer") return socket;
  if (answer.toString("latin1") !== "S") throw connectFailed("tls_not_supported");
  const isVerified = address.sslMode.startsWith("verify-");
  const secure = connectTls({
    socket,
    // Whose certificate it must be; without it, Node would ask for localhost's where there is an address.
    host: address.host,
    ...(isIP(address.host) === 0 ? { servername: address.host } : {}),
    // libpq's `require` encrypts without asking who is there.
    rejectUnauthorized: isVerified,
    ...(address.rootCertificates === null ? {} : { ca: address.rootCertificates }),
    ...(address.sslMode === "verify-full" ? {} : { checkServerIdentity: () => undefined }),
  });
  await within(secure, address.timeoutMs, (resolve) => secure.once("secureConnect", resolve));
  return secure;
}

/** Resolves through `start`, or rejects when the socket fails, closes, or takes longer than the limit. */
function within<T>(socket: Socket, limitMs: number, start: (resolve: (value: T) => void) => void): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const onError = (error: NodeJS.ErrnoException) =>
    reject(connectFailed(REASONS[error.code ?? ""] ?? (error.code ?? error.message).toLowerCase()));
  const onClose = () => reject(connectFailed("connection_closed"));
  const timer = setTimeout(() => reject(connectFailed("timed_out")), limitMs);
  socket.once("error", onError).once("close", onClose);
  start(resolve);
  return promise.finally(() => {
    clearTimeout(timer);
    // Without a listener a late error would end the process.
    socket.off("close", onClose).on("error", () => {});
    socket.off("error", onError);
  });
}

/** Authenticates. Rejects with the origin's own error, unchanged, when it says no. The socket is paused afterwards. */
export async function login(socket: Socket, credentials: Credentials): Promise<LoggedIn> {
  const { user, database, options } = credentials;
  const body = Buffer.concat([
    int32(3 << 16),
    ...["user", user, "database", database, "client_encoding", "UTF8", "application_name", "hyperdrive"].map(text),
    ...(options === "" ? [] : ["options", options].map(text)),
    Buffer.of(0),
  ]);
  const dialogue = new Dialogue(socket, credentials);
  try {
    socket.write(Buffer.concat([int32(body.length + 4), body]));
    return await within<LoggedIn>(socket, credentials.timeoutMs, (resolve) => dialogue.start(resolve));
  } catch (error) {
    socket.destroy();
    throw dialogue.refusal ?? error;
  } finally {
    dialogue.stop();
  }
}

class Dialogue {
  refusal: Error | null = null;
  readonly #socket: Socket;
  readonly #credentials: Credentials;
  readonly #scram: ScramClient;
  readonly #result: LoggedIn = { parameters: new Map(), key: { processId: 0, secret: 0 }, rest: Buffer.alloc(0) };
  #buffer = Buffer.alloc(0);
  #resolve: (result: LoggedIn) => void = () => {};
  readonly #onData = (chunk: Buffer) => this.#received(chunk);

  constructor(socket: Socket, credentials: Credentials) {
    this.#socket = socket;
    this.#credentials = credentials;
    this.#scram = new ScramClient(credentials.password);
  }

  start(resolve: (result: LoggedIn) => void): void {
    this.#resolve = resolve;
    this.#socket.on("data", this.#onData);
  }

  stop(): void {
    this.#socket.off("data", this.#onData);
    this.#socket.pause();
  }

  #received(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    try {
      this.#read();
    } catch {
      this.#refuse(connectFailed("invalid_message"));
    }
  }

  #read(): void {
    while (this.#buffer.length >= 5 && this.refusal === null) {
      const size = this.#buffer.readInt32BE(1) + 1;
      if (size < 5 || size > LARGEST_MESSAGE) throw new RangeError("no message of a login has this size");
      if (this.#buffer.length < size) return;
      const message = this.#buffer.subarray(0, size);
      this.#buffer = this.#buffer.subarray(size);
      if (message[0] === SERVER.ready) {
        this.#resolve({ ...this.#result, rest: this.#buffer });
        return;
      }
      this.#message(message);
    }
  }

  #message(message: Buffer): void {
    if (message[0] === SERVER.error) {
      this.#refuse(decodeError(message));
    } else if (message[0] === SERVER.parameterStatus) {
      const [name, value] = message.toString("utf8", 5).split("\0");
      if (name !== undefined && value !== undefined) this.#result.parameters.set(name, value);
    } else if (message[0] === SERVER.backendKey) {
      this.#result.key = { processId: message.readInt32BE(5), secret: message.readInt32BE(9) };
    } else if (message[0] === SERVER.authentication) {
      this.#authenticate(message.readInt32BE(5), message.subarray(9));
    }
  }

  #authenticate(kind: number, data: Buffer): void {
    const { user, password } = this.#credentials;
    if (kind === 3) {
      this.#answer(text(password));
    } else if (kind === 5) {
      const md5 = (input: string | Buffer) => createHash("md5").update(input).digest("hex");
      this.#answer(text(`md5${md5(Buffer.concat([Buffer.from(md5(password + user)), data.subarray(0, 4)]))}`));
    } else if (kind === 10) {
      const first = Buffer.from(this.#scram.first());
      this.#answer(text("SCRAM-SHA-256"), int32(first.length), first);
    } else if (kind === 11) {
      this.#answer(Buffer.from(this.#scram.final(data.toString())));
    } else if (kind === 12) {
      if (!this.#scram.confirms(data.toString())) this.#refuse(connectFailed("server_not_authentic"));
    } else if (kind !== 0) {
      this.#refuse(connectFailed(`authentication_method_${kind}_not_supported`));
    }
  }

  #answer(...parts: Buffer[]): void {
    this.#socket.write(frame(CLIENT.password, ...parts));
  }

  #refuse(error: Error): void {
    this.refusal ??= error;
    this.#socket.destroy();
  }
}

/** Tells the origin to cancel what a connection runs. Resolves when the origin has taken note, or cannot be reached. */
export async function sendCancel(address: Address, key: CancelKey): Promise<void> {
  try {
    const socket = await openSocket(address);
    const closed = within<void>(socket, address.timeoutMs, (resolve) => socket.once("end", resolve));
    socket.resume();
    socket.write(Buffer.concat([int32(16), int32(80877102), int32(key.processId), int32(key.secret)]));
    await closed.finally(() => socket.destroy());
  } catch {
    // Then the statement runs on; its own bound ends it.
  }
}
