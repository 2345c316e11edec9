import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";

const ITERATIONS = 4096;
/** Deriving a key with more would hold up everybody for over a second. */
const MOST_ITERATIONS = 1_000_000;

const sha256 = (data: Buffer) => createHash("sha256").update(data).digest();
const hmac = (key: Buffer, data: string) => createHmac("sha256", key).update(data).digest();

function xor(left: Buffer, right: Buffer): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)));
}

function attributes(message: string): Map<string, string> {
  return new Map(message.split(",").map((part) => [part.charAt(0), part.slice(2)]));
}

function deriveKeys(password: string, salt: Buffer, iterations: number): { clientKey: Buffer; serverKey: Buffer } {
  // NFKC stands in for SASLprep, from which it differs in exotic characters only.
  const salted = pbkdf2Sync(password.normalize("NFKC"), salt, iterations, 32, "sha256");
  return { clientKey: hmac(salted, "Client Key"), serverKey: hmac(salted, "Server Key") };
}

/** What a server keeps of a password (RFC 5802). Deriving it costs milliseconds: make it once. */
export class ScramVerifier {
  readonly salt = randomBytes(16);
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;

  constructor(password: string) {
    const { clientKey, serverKey } = deriveKeys(password, this.salt, ITERATIONS);
    this.storedKey = sha256(clientKey);
    this.serverKey = serverKey;
  }
}

/** One SCRAM-SHA-256 exchange as the server sees it. Each step returns null when the client is not who it says. */
export class ScramServer {
  readonly #verifier: ScramVerifier;
  #bare = "";
  #header = "";
  #first = "";
  #nonce = "";

  constructor(verifier: ScramVerifier) {
    this.#verifier = verifier;
  }

  /** Answers the client's first message. */
  challenge(clientFirst: string): string | null {
    const parts = /^([ny],[^,]*,)(.*)$/s.exec(clientFirst);
    const bare = parts?.[2];
    const clientNonce = bare === undefined ? undefined : attributes(bare).get("r");
    if (parts === null || bare === undefined || clientNonce === undefined || clientNonce === "") return null;
    this.#header = parts[1] ?? "";
    this.#bare = bare;
    this.#nonce = clientNonce + randomBytes(18).toString("base64");
    this.#first = `r=${this.#nonce},s=${this.#verifier.salt.toString("base64")},i=${ITERATIONS}`;
    return this.#first;
  }

  /** Checks the proof; returns the server's final message. */
  verify(clientFinal: string): string | null {
    const split = clientFinal.lastIndexOf(",p=");
    if (split === -1) return null;
    const withoutProof = clientFinal.slice(0, split);
    const sent = attributes(withoutProof);
    const proof = Buffer.from(clientFinal.slice(split + 3), "base64");
    const isBound = sent.get("c") === Buffer.from(this.#header).toString("base64");
    if (!isBound || sent.get("r") !== this.#nonce || proof.length !== 32) return null;
    const authMessage = `${this.#bare},${this.#first},${withoutProof}`;
    const clientKey = xor(proof, hmac(this.#verifier.storedKey, authMessage));
    if (!timingSafeEqual(sha256(clientKey), this.#verifier.storedKey)) return null;
    return `v=${hmac(this.#verifier.serverKey, authMessage).toString("base64")}`;
  }
}

/** One SCRAM-SHA-256 exchange as the client sees it. */
export class ScramClient {
  readonly #password: string;
  readonly #nonce = randomBytes(18).toString("base64");
  #signature = "";

  constructor(password: string) {
    this.#password = password;
  }

  first(): string {
    return `n,,n=,r=${this.#nonce}`;
  }

  /** Answers the server's challenge. Throws when that is none. */
  final(serverFirst: string): string {
    const sent = attributes(serverFirst);
    const nonce = sent.get("r") ?? "";
    const iterations = Number.parseInt(sent.get("i") ?? "", 10);
    if (!nonce.startsWith(this.#nonce) || !(iterations >= 1 && iterations <= MOST_ITERATIONS)) {
      throw new Error("the origin sent an invalid SCRAM challenge");
    }
    const salt = Buffer.from(sent.get("s") ?? "", "base64");
    const { clientKey, serverKey } = deriveKeys(this.#password, salt, iterations);
    const withoutProof = `c=biws,r=${nonce}`;
    const authMessage = `n=,r=${this.#nonce},${serverFirst},${withoutProof}`;
    this.#signature = hmac(serverKey, authMessage).toString("base64");
    return `${withoutProof},p=${xor(clientKey, hmac(sha256(clientKey), authMessage)).toString("base64")}`;
  }

  /** Whether the server knows the password, too. */
  confirms(serverFinal: string): boolean {
    return attributes(serverFinal).get("v") === this.#signature;
  }
}
