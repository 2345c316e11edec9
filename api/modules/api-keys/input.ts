import { apiCallMetric, apiKeysPrefixes, identityPrefixes, organizationPrefixes, usagePeriods } from "@repo/db";
import * as z from "zod";
import { idInput, nameInput, timeInput } from "../../core/input.ts";
import { pageInput } from "../../core/pagination.ts";

const maxDays = 93;
const id = idInput(apiKeysPrefixes.apiKey);
const userId = idInput(identityPrefixes.user);
const organizationId = idInput(organizationPrefixes.organization);
/** Whose: the caller's own, or those of the organization that the request speaks for. */
const owner = z.enum(["user", "organization"]).default("user");
const scopes = z
  .array(z.string().regex(/^[a-z-]{1,50}:(read|write)$/, "<module>:read or <module>:write"))
  .min(1)
  .max(100)
  .transform((list) => [...new Set(list)].sort());
const expiresAt = timeInput.refine((time) => time > new Date(), "in the past").nullable();
const metric = z.string().regex(/^[a-z][a-z0-9_.]{0,49}$/, "small letters, digits, dots and underscores");

export const listInput = pageInput.extend({
  owner,
  /** Only keys that work. */
  active: z.boolean().default(false),
});
export type ListInput = z.infer<typeof listInput>;

export const createInput = z.object({
  owner,
  id: id.optional(),
  name: nameInput,
  scopes,
  expiresAt: expiresAt.default(null),
});
export type CreateInput = z.infer<typeof createInput>;

export const updateInput = z
  .object({ owner, id, name: nameInput.optional(), scopes: scopes.optional(), expiresAt: expiresAt.optional() })
  .refine(
    ({ name, scopes, expiresAt }) => [name, scopes, expiresAt].some((value) => value !== undefined),
    "nothing to change",
  );
export type UpdateInput = z.infer<typeof updateInput>;

export const rotateInput = z.object({
  owner,
  id,
  /** How long the old key works on, in seconds: at most 7 days. */
  overlapSeconds: z.int().min(0).max(604_800).default(86_400),
  /** Default: when the old one would have expired. */
  expiresAt: expiresAt.optional(),
});
export type RotateInput = z.infer<typeof rotateInput>;

export const keyIdInput = z.object({ owner, id });
export type KeyIdInput = z.infer<typeof keyIdInput>;

/** The organization's key that nobody stands for any more. */
export const takeOverInput = z.object({ id });
export type TakeOverInput = z.infer<typeof takeOverInput>;

/** By UTC day, key and metric, newest first. An API key sees its owner's, whatever `owner` says. */
export const summaryInput = pageInput
  .extend({
    owner,
    since: timeInput,
    until: timeInput,
    keyId: z.string().max(100).optional(),
    metric: z.string().max(50).optional(),
  })
  .refine(
    ({ since, until }) => since < until && until.getTime() - since.getTime() <= maxDays * 86_400_000,
    `until comes after since, by at most ${maxDays} days`,
  );
export type SummaryInput = z.infer<typeof summaryInput>;

export const limitListInput = z.object({ owner });
export type LimitListInput = z.infer<typeof limitListInput>;

/** A user's or an organization's limit. `max: null` takes it away. */
export const limitSetInput = z
  .object({
    userId: userId.optional(),
    organizationId: organizationId.optional(),
    metric: metric.default(apiCallMetric),
    period: z.enum(usagePeriods),
    hard: z.boolean().default(true),
    max: z.int().min(0).max(Number.MAX_SAFE_INTEGER).nullable(),
  })
  .refine(({ userId, organizationId }) => Boolean(userId) !== Boolean(organizationId), "one of userId, organizationId");
export type LimitSetInput = z.infer<typeof limitSetInput>;
