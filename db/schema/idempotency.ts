import { eq, relations, sql } from "drizzle-orm";
import { index, integer, jsonb, pgPolicy, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { access } from "./access.ts";
import { idText, instant } from "./columns.ts";
import { admin, authenticated, authKey, authUid, service, support } from "./roles.ts";

// An API key repeats its own calls and nobody else's, its owner's included.
const speaker = sql`coalesce(${authKey}, ${authUid})`;

/** Writes that were sent with an `idempotency-key`, and what they answered; kept for a day. */
export const idempotencyKey = pgTable(
  "idempotency_key",
  {
    caller: idText().notNull(),
    /** The organization that the call spoke for; empty when none. */
    organization: idText().notNull(),
    procedure: text().notNull(),
    key: text().notNull(),
    /** Counts the write transactions of one call, from 0. */
    step: integer().notNull(),
    payloadHash: text().notNull(),
    /** What the transaction gave; null when that holds a secret. */
    answer: jsonb(),
    createdAt: instant().notNull().defaultNow(),
  },
  (table) => [
    primaryKey({
      name: "idempotency_key_pkey",
      columns: [table.caller, table.organization, table.procedure, table.key, table.step],
    }),
    index("idempotency_key_created_idx").on(table.createdAt),
    pgPolicy("idempotency_key_own_policy", {
      to: [authenticated, support, admin],
      using: eq(table.caller, speaker),
      withCheck: eq(table.caller, speaker),
    }),
    pgPolicy("idempotency_key_service_policy", { to: service, using: sql`true`, withCheck: sql`true` }),
  ],
);

const own = { select: "all", insert: "all", update: ["answer"] } as const;

export const idempotencyKeyAccess = access(idempotencyKey, {
  authenticated: own,
  support: own,
  admin: own,
  service: { select: ["createdAt"], delete: true },
});

export const idempotencyKeyRelations = relations(idempotencyKey, () => ({}));

export type IdempotencyKey = typeof idempotencyKey.$inferSelect;
export type NewIdempotencyKey = typeof idempotencyKey.$inferInsert;
