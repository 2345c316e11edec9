type Bytes = Uint8Array<ArrayBuffer>;

const text = (value: string): Bytes => Uint8Array.from(new TextEncoder().encode(value));
const base64url = (bytes: Bytes) => Buffer.from(bytes).toString("base64url");
const join = (...parts: (Bytes | number[])[]): Bytes => Uint8Array.from(parts.flatMap((part) => [...part]));
const sha256 = async (bytes: Bytes): Promise<Bytes> => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

const flag = { present: 0x01, verified: 0x04, backupEligible: 0x08, backedUp: 0x10, credential: 0x40 };

/** What a ceremony may be bent by. */
export interface Bend {
  origin?: string;
  rpId?: string;
  challenge?: string;
  /** Whether the device made sure of its user, by a PIN or a finger. Default true. */
  verified?: boolean;
}

interface Options {
  challenge: string;
  rp?: { id?: string };
  rpId?: string;
}

/** A WebAuthn authenticator made of WebCrypto, with one key: a browser and a device in one. */
export async function authenticator(origin: string) {
  const keys = (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ])) as CryptoKeyPair;
  const id: Bytes = crypto.getRandomValues(new Uint8Array(16));
  let counter = 0;

  async function data(rpId: string, verified: boolean, credential: Bytes = new Uint8Array()): Promise<Bytes> {
    counter += 1;
    const flags =
      flag.present |
      flag.backupEligible |
      flag.backedUp |
      (verified ? flag.verified : 0) |
      (credential.length ? flag.credential : 0);
    return join(await sha256(text(rpId)), [flags], bigEndian(counter, 4), credential);
  }

  const clientData = (type: string, { challenge }: Options, bend: Bend) =>
    text(JSON.stringify({ type, challenge: bend.challenge ?? challenge, origin: bend.origin ?? origin }));
  const answer = (response: object) => {
    const name = base64url(id);
    return { id: name, rawId: name, type: "public-key", clientExtensionResults: {}, response };
  };

  return {
    async create(options: Options, bend: Bend = {}) {
      const credential = join(new Uint8Array(16), bigEndian(id.length, 2), id, await coseKey(keys.publicKey));
      const authData = await data(bend.rpId ?? options.rp?.id ?? "", bend.verified ?? true, credential);
      const attestation = join([0xa3], cborText("fmt"), cborText("none"), cborText("attStmt"), [0xa0]);
      return answer({
        clientDataJSON: base64url(clientData("webauthn.create", options, bend)),
        attestationObject: base64url(join(attestation, cborText("authData"), cborBytes(authData))),
        transports: ["internal"],
      });
    },
    async get(options: Options, bend: Bend = {}) {
      const authData = await data(bend.rpId ?? options.rpId ?? "", bend.verified ?? true);
      const client = clientData("webauthn.get", options, bend);
      const signed = join(authData, await sha256(client));
      const raw = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, keys.privateKey, signed);
      return answer({
        clientDataJSON: base64url(client),
        authenticatorData: base64url(authData),
        signature: base64url(der(new Uint8Array(raw))),
      });
    },
  };
}

function bigEndian(value: number, length: number): number[] {
  return Array.from({ length }, (_, index) => (value >>> (8 * (length - 1 - index))) & 0xff);
}

function cborText(value: string): Bytes {
  return join([0x60 + value.length], text(value));
}

function cborBytes(value: Bytes): Bytes {
  return value.length < 24 ? join([0x40 + value.length], value) : join([0x59], bigEndian(value.length, 2), value);
}

/** An ES256 public key in COSE: { 1: 2, 3: -7, -1: 1, -2: x, -3: y }. */
async function coseKey(key: CryptoKey): Promise<Bytes> {
  const { x = "", y = "" } = (await crypto.subtle.exportKey("jwk", key)) as JsonWebKey;
  const half = (value: string) => join([0x58, 32], Uint8Array.from(Buffer.from(value, "base64url")));
  return join([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21], half(x), [0x22], half(y));
}

/** WebCrypto gives r and s side by side, WebAuthn wants them as ASN.1 integers. */
function der(raw: Bytes): Bytes {
  const integer = (bytes: Bytes) => {
    const start = bytes.findIndex((byte) => byte !== 0);
    const trimmed = bytes.slice(start);
    const positive = (trimmed[0] ?? 0) & 0x80 ? join([0], trimmed) : trimmed;
    return join([0x02, positive.length], positive);
  };
  const body = join(integer(raw.slice(0, 32)), integer(raw.slice(32)));
  return join([0x30, body.length], body);
}
