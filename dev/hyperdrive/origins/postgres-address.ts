import { readFileSync } from "node:fs";

/** What libpq calls them. `allow` is taken for `disable`. */
export const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
export type SslMode = (typeof SSL_MODES)[number];

export interface ServerAddress {
  /** A name, an address, or the folder of a Unix socket. */
  host: string;
  port: number;
  sslMode: SslMode;
  /** Certificates to believe, in PEM; null: those that Node believes. */
  rootCertificates: string | null;
  /** Settings of each session, as libpq's `options` has them; empty: none. */
  options: string;
  /** How long an attempt to connect may take, in milliseconds; null: as long as it is by default. */
  connectMs: number | null;
}

const COUNTING = ["sslmode", "sslrootcert", "host", "port", "user", "password", "dbname", "options", "connect_timeout"];
/** They change nothing about where it goes, nor about who may listen. */
const IGNORED = [
  "application_name fallback_application_name channel_binding client_encoding gssencmode sslsni sslcompression",
  "keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout",
  "target_session_attrs load_balance_hosts",
].flatMap((names) => names.split(" "));

/** What a `postgres://` URL says, read as libpq reads it. @throws Error in one line for what cannot be read. */
export function readAddress(url: string): ServerAddress & { user: string; password: string; database: string } {
  const parsed = readUrl(url);
  const parameters = parametersOf(parsed);
  refuseOthers(parameters);
  const user = (parameters.get("user") ?? decodeURIComponent(parsed.username)) || "postgres";
  return {
    user,
    password: parameters.get("password") ?? decodeURIComponent(parsed.password),
    database: (parameters.get("dbname") ?? decodeURIComponent(parsed.pathname.slice(1))) || user,
    host: hostOf(parsed, parameters),
    port: portOf(parsed, parameters),
    ...tlsOf(parameters),
    options: parameters.get("options") ?? "",
    connectMs: connectMsOf(parameters),
  };
}

/** A misspelt `sslmode` would otherwise connect without TLS, and without a word. */
function refuseOthers(parameters: URLSearchParams): void {
  for (const name of parameters.keys()) {
    if (COUNTING.includes(name) || IGNORED.includes(name)) continue;
    throw new Error(`the origin's address says "${name}", which means nothing here: there are ${COUNTING.join(", ")}`);
  }
}

/** 0 is no limit to libpq, and the usual one here. */
function connectMsOf(parameters: URLSearchParams): number | null {
  const seconds = Number(parameters.get("connect_timeout") ?? 0);
  if (!(seconds >= 0 && seconds <= 3600)) throw new Error("the origin's connect_timeout is in seconds, at most 3600");
  return seconds === 0 ? null : seconds * 1000;
}

function readUrl(url: string): URL {
  if (!/^postgres(?:ql)?:\/\//.test(url)) throw new Error("the origin's URL must begin with postgres://");
  if (URL.canParse(url) && isDecodable(url)) return new URL(url);
  throw new Error(
    "the origin's URL cannot be read: postgres://user:password@host:5432/database, what is special in it as %xx",
  );
}

function isDecodable(url: string): boolean {
  try {
    decodeURIComponent(url);
    return true;
  } catch {
    return false;
  }
}

/** As libpq reads them: they count more than the URL's own parts, and a plus is a plus. */
function parametersOf({ search }: URL): URLSearchParams {
  return new URLSearchParams(search.replaceAll("+", "%2B"));
}

/** A path is the folder of a Unix socket. */
function hostOf({ hostname }: URL, parameters: URLSearchParams): string {
  const host = parameters.get("host") ?? decodeURIComponent(hostname).replace(/^\[(.*)\]$/, "$1");
  return host || "127.0.0.1";
}

function portOf({ port }: URL, parameters: URLSearchParams): number {
  const text = parameters.get("port") || port || "5432";
  const number = Number(text);
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
  throw new Error(`the origin's port must be a number from 1 to 65535, not "${text}"`);
}

/** As with libpq, who is asked to be believed by a certificate that is named is verified. */
function tlsOf(parameters: URLSearchParams): Pick<ServerAddress, "sslMode" | "rootCertificates"> {
  const name = parameters.get("sslmode") ?? "disable";
  const mode = SSL_MODES.find((known) => known === name);
  if (mode === undefined) throw new Error(`the origin's sslmode must be one of ${SSL_MODES.join(", ")}, not "${name}"`);
  const file = parameters.get("sslrootcert");
  if (file === null || file === "system") return { sslMode: mode, rootCertificates: null };
  return { sslMode: mode === "require" ? "verify-ca" : mode, rootCertificates: readCertificates(file) };
}

function readCertificates(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`the origin's sslrootcert cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}
