import { identity, identityPrefixes, passkey, rateLimit, session, twoFactor, user, verification } from "@repo/db";
import { newId } from "@repo/db/schema/columns";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { betterAuth } from "better-auth/minimal";
import { bearer } from "better-auth/plugins/bearer";
import { emailOTP } from "better-auth/plugins/email-otp";
import type { Env } from "../../../core/env.ts";
import { describeError, logLine } from "../../../core/log.ts";
import { freshSeconds } from "../policy.ts";
import { anonymously } from "./anonymous.ts";
import { currentDb, currentEndpoint, currentRequest } from "./current.ts";
import { beforeEndpoint, beforeSession } from "./guards.ts";
import { onExistingUserSignUp, sendResetPassword, sendVerificationEmail, sendVerificationOTP } from "./letters.ts";
import { passkeys } from "./passkeys.ts";
import { hashPassword, passwordLength } from "./password.ts";
import { checkPassword } from "./proofs.ts";
import { consume } from "./rate-limit.ts";
import { secondFactor } from "./second-factor.ts";
import { provedAddress, socialProviders, tidyProfile, withoutIdToken } from "./social.ts";

export const authPath = "/api/auth";

const prefixes: Record<string, string> = { ...identityPrefixes, account: identityPrefixes.identity };

const emailAndPassword = {
  enabled: true,
  requireEmailVerification: true,
  minPasswordLength: passwordLength.min,
  maxPasswordLength: passwordLength.max,
  revokeSessionsOnPasswordReset: true,
  password: { hash: hashPassword, verify: checkPassword },
  sendResetPassword,
  onExistingUserSignUp,
};

// Shown to the user, never taken from one.
const shown = { input: false, required: false } as const;
const hidden = { input: false, required: false, returned: false } as const;

const userFields = {
  role: { ...shown, type: "string", defaultValue: "user" },
  banned: { ...hidden, type: "boolean", defaultValue: false },
  banReason: { ...hidden, type: "string" },
  banExpires: { ...hidden, type: "date" },
} as const;

const sessionFields = {
  activeOrganizationId: { ...shown, type: "string" },
  impersonatedBy: { ...shown, type: "string" },
} as const;

// The second factor first: what runs behind it finds no session until it is given.
const plugins = (env: Env) => [
  secondFactor(),
  bearer({ requireSignature: true }),
  emailOTP({ storeOTP: "hashed", sendVerificationOTP, expiresIn: 300, allowedAttempts: 3 }),
  passkeys(env),
  anonymously(),
];

const logger = {
  // Below errors, its messages name addresses.
  level: "error" as const,
  log(_level: string, message: string, ...details: unknown[]) {
    logLine("warn", `better-auth: ${message}`, { details: details.map(describeError) });
  },
};

function build(env: Env) {
  const { APP_URL, AUTH_SECRET, CORS_ORIGINS } = env;
  return betterAuth({
    baseURL: new URL(APP_URL).origin,
    basePath: authPath,
    secret: AUTH_SECRET,
    trustedOrigins: CORS_ORIGINS,
    // Sign-up and reset write several rows: Drizzle's begin and commit go through the request's one connection.
    database: drizzleAdapter(currentDb, {
      provider: "pg",
      schema: { user, session, identity, verification, rateLimit, passkey, twoFactor },
      transaction: true,
    }),
    user: { additionalFields: userFields, validateUserInfo: provedAddress },
    account: { modelName: "identity", encryptOAuthTokens: true },
    socialProviders: socialProviders(env),
    session: {
      additionalFields: sessionFields,
      expiresIn: 30 * 86_400,
      updateAge: 86_400,
      freshAge: freshSeconds,
      cookieCache: { enabled: false },
    },
    // A reader of the table must not be able to reset anybody's password.
    verification: { storeIdentifier: "hashed" },
    emailAndPassword,
    emailVerification: { sendVerificationEmail, sendOnSignUp: true, expiresIn: 3600 },
    plugins: plugins(env),
    hooks: { before: beforeEndpoint },
    databaseHooks: {
      user: { create: { before: tidyProfile } },
      account: { create: { before: withoutIdToken }, update: { before: withoutIdToken } },
      session: { create: { before: beforeSession } },
    },
    rateLimit: {
      enabled: true,
      window: 60,
      max: 100,
      customStorage: { consume: (key, rule) => consume(currentDb, `${key.split("|")[0]}|${currentEndpoint()}`, rule) },
      customRules: {
        "/sign-in/*": { window: 60, max: 10 },
        "/sign-up/*": { window: 60, max: 5 },
        "/passkey/*": { window: 60, max: 20 },
      },
    },
    disabledPaths: ["/update-session", "/forget-password/email-otp", "/two-factor/send-otp", "/two-factor/verify-otp"],
    advanced: {
      cookiePrefix: "fairlead",
      useSecureCookies: APP_URL.startsWith("https:"),
      ipAddress: { ipAddressHeaders: ["cf-connecting-ip"] },
      database: { generateId: ({ model }) => newId(prefixes[model] ?? model) },
      backgroundTasks: { handler: (task) => currentRequest().waitUntil(task) },
      // Said because they would be off in tests.
      disableOriginCheck: false,
      disableCSRFCheck: false,
    },
    telemetry: { enabled: false },
    logger,
    // Failures that are not better-auth's own reach the worker's one mapping of errors.
    onAPIError: { throw: true },
  });
}

export type Auth = ReturnType<typeof build>;

const built = new WeakMap<Env, Auth>();

/** better-auth for these settings, built once per isolate. */
export function authOf(env: Env): Auth {
  const known = built.get(env);
  if (known) return known;
  const auth = build(env);
  built.set(env, auth);
  return auth;
}
