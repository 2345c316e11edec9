import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningPostgres, startPostgres } from "../../postgres.ts";
import { selfSigned } from "../../test/certificate.ts";
import { startTlsServer, type TlsServer } from "../../test/servers.ts";
import { createPostgresOrigin, startHyperdrive } from "../index.ts";

/** What a client of the direct door hears of the session behind it: null for a Unix socket's address. */
async function sessionAt(url: string): Promise<unknown> {
  const origin = createPostgresOrigin(url);
  const hyperdrive = await startHyperdrive({ origin });
  const client = new pg.Client(hyperdrive.connectionString("direct", "postgres", "fairlead"));
  client.on("error", () => {});
  try {
    await client.connect();
    const sql = "select host(inet_server_addr()) as address, ssl from pg_stat_ssl where pid = pg_backend_pid()";
    return (await client.query(sql)).rows[0];
  } catch (error) {
    return error instanceof Error ? error.message : error;
  } finally {
    await client.end();
    await hyperdrive.close();
    await origin.close();
  }
}

describe("a Postgres at a Unix socket", () => {
  let server: RunningPostgres;
  beforeAll(async () => {
    server = await startPostgres({ hasSocket: true });
  });
  afterAll(() => server.stop());

  const at = (host: string, query = "") => server.url.replace("127.0.0.1", host) + query;

  it("is found by ?host= and by the folder in the host's place, without TLS", async () => {
    const byQuery = at("127.0.0.1", `?host=${encodeURIComponent(server.socketFolder)}&sslmode=require`);
    expect(await sessionAt(byQuery)).toEqual({ address: null, ssl: false });
    expect(await sessionAt(at(encodeURIComponent(server.socketFolder)))).toEqual({ address: null, ssl: false });
    expect(await sessionAt(server.url)).toEqual({ address: "127.0.0.1", ssl: false });
  });

  it("is missed in words where there is none", async () => {
    expect(await sessionAt(at("127.0.0.1", "?host=/nowhere"))).toBe(
      "Server connection attempt failed: socket_not_found",
    );
  });

  it("is found by what an address says behind its question mark, as libpq does", async () => {
    const { port, username, password, pathname } = new URL(server.url);
    const said = new URLSearchParams({ port, user: username, password, dbname: pathname.slice(1) });
    expect(await sessionAt(`postgres://nobody:wrong@127.0.0.1:1/nothing?${said}`)).toEqual({
      address: "127.0.0.1",
      ssl: false,
    });
    expect(() => createPostgresOrigin("postgres://a:%zz@127.0.0.1/b")).toThrow(/cannot be read/);
    expect(() => createPostgresOrigin("postgres://127.0.0.1/b?port=x")).toThrow(/port must be a number/);
    expect(() => createPostgresOrigin("postgres://127.0.0.1/b?sslmod=require")).toThrow(
      /says "sslmod", .* there are sslmode,/,
    );
    expect(() => createPostgresOrigin("postgres://127.0.0.1/b?connect_timeout=x")).toThrow(/connect_timeout is in sec/);
  });

  it("has the settings in each session that its address asks for", async () => {
    const url = `${server.url}?options=${encodeURIComponent("-c work_mem=9MB")}&connect_timeout=5`;
    const origin = createPostgresOrigin(url);
    const hyperdrive = await startHyperdrive({ origin, poolSize: 1 });
    const client = new pg.Client(hyperdrive.connectionString("direct", "postgres", "fairlead"));
    await client.connect();
    // The second one after a reset.
    for (const expected of ["9MB", "9MB"]) {
      const { rows } = await client.query("select current_setting('work_mem') as memory");
      expect(rows).toEqual([{ memory: expected }]);
    }
    await client.end();
    await hyperdrive.close();
    await origin.close();
  });

  it("has no TLS, which `prefer` takes as it is and `require` does not", async () => {
    expect(await sessionAt(`${server.url}?sslmode=prefer`)).toEqual({ address: "127.0.0.1", ssl: false });
    expect(await sessionAt(`${server.url}?sslmode=require`)).toBe(
      "Server connection attempt failed: tls_not_supported",
    );
  });
});

describe("a Postgres that speaks TLS alone", () => {
  let server: TlsServer;
  beforeAll(async () => {
    server = await startTlsServer();
  });
  afterAll(() => server.stop());

  const inMode = (mode: string) => sessionAt(server.url.replace("require", mode));

  it.each(["prefer", "require", "require&channel_binding=require"])("is reached with sslmode=%s", async (mode) => {
    expect(await inMode(mode)).toEqual({ address: "127.0.0.1", ssl: true });
  });

  it.each(["verify-ca", "verify-full"])(
    "whose certificate nobody has signed is refused with sslmode=%s",
    async (mode) => {
      expect(await inMode(mode)).toBe("Server connection attempt failed: depth_zero_self_signed_cert");
    },
  );

  it("is asked by verify-full for a certificate of the address that it was called by", async () => {
    const before = getCACertificates("default");
    setDefaultCACertificates([...before, server.certificate]);
    try {
      expect(await inMode("verify-ca")).toEqual({ address: "127.0.0.1", ssl: true });
      expect(await inMode("verify-full")).toMatch(/err_tls_cert_altname_invalid/);
    } finally {
      setDefaultCACertificates(before);
    }
  });

  it("is believed when sslrootcert names the file of its authority, and as libpq has it `require` then verifies", async () => {
    const folder = await mkdtemp(join(tmpdir(), "fairlead-root-"));
    const [right, wrong] = [join(folder, "right.crt"), join(folder, "wrong.crt")];
    await writeFile(right, server.certificate);
    await writeFile(wrong, selfSigned().certificate);
    for (const mode of ["verify-ca", "require"]) {
      expect(await inMode(`${mode}&sslrootcert=${right}`)).toEqual({ address: "127.0.0.1", ssl: true });
      expect(await inMode(`${mode}&sslrootcert=${wrong}`)).toMatch(/self_signed_cert/);
    }
    expect(await inMode("verify-ca&sslrootcert=system")).toMatch(/self_signed_cert/);
    expect(() => createPostgresOrigin(`${server.url}&sslrootcert=${folder}/none.crt`)).toThrow(
      /sslrootcert cannot be read: .*none\.crt/,
    );
    await rm(folder, { recursive: true });
  });

  it("says so itself without TLS", async () => {
    expect(await inMode("disable")).toMatch(/no pg_hba.conf entry .* no encryption/);
  });
});
