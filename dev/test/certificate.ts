import { generateKeyPairSync, sign } from "node:crypto";

const [integer, bitString, objectId, utf8, utcTime, sequence, set] = [0x02, 0x03, 0x06, 0x0c, 0x17, 0x30, 0x31];

/** One value in DER. */
function der(tag: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const size = content.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

/** A self-signed certificate for localhost and its key, in PEM. `sslmode=require` looks at neither, `verify-full` at both. */
export function selfSigned(): { certificate: string; key: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const ecdsaWithSha256 = der(sequence, der(objectId, Buffer.from("2a8648ce3d040302", "hex")));
  const commonName = der(objectId, Buffer.from("550403", "hex"));
  const name = der(sequence, der(set, der(sequence, commonName, der(utf8, Buffer.from("localhost")))));
  const validity = der(sequence, ...["200101000000Z", "491231000000Z"].map((time) => der(utcTime, Buffer.from(time))));
  const body = der(
    sequence,
    der(integer, Buffer.from([1])),
    ecdsaWithSha256,
    name,
    validity,
    name,
    publicKey.export({ type: "spki", format: "der" }),
  );
  const signature = der(bitString, Buffer.from([0]), sign("sha256", body, privateKey));
  const base64 = der(sequence, body, ecdsaWithSha256, signature).toString("base64").replace(/.{64}/g, "$&\n");
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}
