import * as z from "zod";

const binding = <T>(what: string, ...methods: (keyof T & string)[]) =>
  z.custom<T>(
    (value) => typeof value === "object" && value !== null && methods.every((method) => method in value),
    `no ${what} binding of this name in wrangler.toml`,
  );

const hyperdrive = () => binding<Hyperdrive>("Hyperdrive", "connectionString");
const origins = z
  .string()
  .default("")
  .transform((list) =>
    list
      .split(",")
      .map((origin) => origin.trim())
      .filter(Boolean),
  )
  .pipe(
    z.array(
      z.url({ protocol: /^https?$/, error: "a comma-separated list of origins such as https://app.example.com" }),
    ),
  );

/** Signatures whose public key cannot sign. */
const signatures = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"] as const;

const secure = z.url().refine((url) => /^https:|^http:\/\/(localhost|127\.0\.0\.1)[:/]/.test(url), "an https address");
const issuers = z
  .string()
  .default("[]")
  .transform((text, context) => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue("not JSON");
      return z.NEVER;
    }
  })
  .pipe(
    z.array(
      z.strictObject({
        issuer: secure,
        audience: z.string().min(1),
        jwksUrl: secure,
        algorithms: z.array(z.enum(signatures)).min(1).default(["RS256", "ES256"]),
      }),
    ),
  );

/** Every setting and binding of the worker; `docs/environment-variables.md` is generated from it. */
export const envSchema = z
  .object({
    ENVIRONMENT: z
      .enum(["development", "test", "staging", "production"])
      .describe("Where the worker runs; development and test switch on local tools such as the outbox."),
    AUTH_SECRET: z
      .string()
      .min(32, "at least 32 characters; make one with: openssl rand -base64 32")
      .describe("Signs session cookies and freshness tokens. A secret: wrangler secret put AUTH_SECRET."),
    APP_URL: z.url({ protocol: /^https?$/ }).describe("Public address of the API, without a path."),
    CORS_ORIGINS: origins.describe("Origins of the frontends that may call the API, separated by commas."),
    MAIL_FROM: z.string().default("Fairlead <no-reply@localhost>").describe("Sender of e-mails."),
    RESEND_API_KEY: z
      .string()
      .optional()
      .describe(
        "Key of Resend, which then delivers e-mails. Without it they go to a local outbox; needed in staging and production. A secret.",
      ),
    GOOGLE_CLIENT_ID: z
      .string()
      .optional()
      .describe("Google's OAuth client; sign-in with Google is on when it and its secret are set."),
    GOOGLE_CLIENT_SECRET: z.string().optional().describe("Secret of Google's OAuth client. A secret."),
    GITHUB_CLIENT_ID: z
      .string()
      .optional()
      .describe("GitHub's OAuth app; sign-in with GitHub is on when it and its secret are set."),
    GITHUB_CLIENT_SECRET: z.string().optional().describe("Secret of GitHub's OAuth app. A secret."),
    PASSKEY_RP_ID: z
      .string()
      .optional()
      .describe("Domain that passkeys are bound to, e.g. example.com; the host of APP_URL unless set."),
    EXTERNAL_ISSUERS: issuers.describe(
      'Issuers whose JWTs open the API, as JSON: [{"issuer": "https://…", "audience": "…", "jwksUrl": "https://…", "algorithms": ["RS256"]}]; algorithms: RS256 and ES256 unless given.',
    ),
    DB_PIPELINE: z
      .enum(["on", "off"])
      .default("on")
      .describe("Whether statements are sent without waiting for earlier answers."),
    DB_TRACE: z
      .enum(["on", "off"])
      .default("off")
      .describe(
        "Whether connections carry the request's id as application_name, for the local Hyperdrive's query log.",
      ),
    DB_CONNECT_TIMEOUT_MS: z.coerce.number().int().positive().default(5000).describe("Longest wait for a connection."),
    DB_QUERY_TIMEOUT_MS: z.coerce.number().int().positive().default(15000).describe("Longest wait for an answer."),
    FRESH_SECONDS: z.coerce
      .number()
      .int()
      .positive()
      .default(75)
      .describe(
        "How long a writer reads past the cache: Hyperdrive's max_age (60) plus its stale_while_revalidate (15).",
      ),
    HYPERDRIVE_CACHED: hyperdrive().describe("Hyperdrive with its cache on; logs in as app_cached."),
    HYPERDRIVE_DIRECT: hyperdrive().describe("Hyperdrive with its cache off; logs in as app_direct."),
    FILES: binding<R2Bucket>("R2", "get", "put").describe("R2 bucket of uploaded files."),
    API_KEY_LIMIT: binding<RateLimit>("rate limit", "limit").describe("Rate limit of calls with one API key."),
    API_KEY_NETWORK_LIMIT: binding<RateLimit>("rate limit", "limit").describe(
      "Rate limit of calls with API keys from one network.",
    ),
    JOBS: binding<Queue>("queue", "send").describe("Queue of background work."),
  })
  .refine(({ ENVIRONMENT, RESEND_API_KEY }) => RESEND_API_KEY || ["development", "test"].includes(ENVIRONMENT), {
    path: ["RESEND_API_KEY"],
    error:
      "needed outside development, where no local outbox takes the e-mails; set it with: wrangler secret put RESEND_API_KEY",
  });

export type Env = z.infer<typeof envSchema>;

/** Thrown when settings are missing or wrong; the message names each of them. */
export class EnvError extends Error {
  override name = "EnvError";
}

const parsed = new WeakMap<object, Env>();

/**
 * The worker's settings, validated at first use.
 * @throws EnvError that names every missing or wrong setting.
 */
export function getEnv(bindings: object): Env {
  const known = parsed.get(bindings);
  if (known) return known;
  const result = envSchema.safeParse(bindings);
  if (!result.success) {
    const lines = result.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
    throw new EnvError(
      `The worker's settings are incomplete (see docs/environment-variables.md):\n${lines.join("\n")}`,
    );
  }
  parsed.set(bindings, result.data);
  return result.data;
}
