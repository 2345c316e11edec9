import { and, apiKey, apiKeysPrefixes, count, isNull, sql } from "@repo/db";
import { newId } from "@repo/db/schema/columns";
import { audit } from "../../../core/audit.ts";
import { one } from "../../../core/database/rows.ts";
import { AppError } from "../../../core/errors/app-error.ts";
import { withConflicts } from "../../../core/errors/database.ts";
import type { UserContext } from "../../../core/procedures.ts";
import { noKey, notActive, replaced, tooManyKeys } from "../errors.ts";
import type { CreateInput, RotateInput } from "../input.ts";
import { hashApiKey, makeApiKey, prefixIn } from "../key.ts";
import { assertMayManage } from "../policy.ts";
import { apiKeyDetail, isActive, keyOf, ownedBy } from "../queries.ts";
import { assertKnown } from "../scopes.ts";

const maxActive = 100;

const conflicts = {
  api_key_pkey: () => new AppError("CONFLICT", "id: taken already", { reason: "id_taken", field: "id" }),
};

function newSecret({ env }: UserContext) {
  const prefix = prefixIn(env);
  const secret = makeApiKey(prefix);
  return { secret, row: { prefix, lastFour: secret.slice(-4), keyHash: hashApiKey(secret) } };
}

/** A new key. The answer holds its secret, which is stored nowhere. */
export function createApiKey(ctx: UserContext, { owner: whose, id, name, scopes, expiresAt }: CreateInput) {
  const owner = assertMayManage(ctx.caller, whose);
  assertKnown(scopes);
  const { secret, row } = newSecret(ctx);
  const keyId = id ?? newId(apiKeysPrefixes.apiKey);
  const values = { id: keyId, ...owner, ...row, name, scopes, expiresAt, createdBy: ctx.caller.user.id };
  return withConflicts(conflicts, () =>
    ctx.rls(async (tx) => {
      const [rows, [active]] = await Promise.all([
        tx.insert(apiKey).values(values).returning(apiKeyDetail),
        tx
          .select({ keys: count() })
          .from(apiKey)
          .where(and(ownedBy(apiKey, owner), isActive)),
      ]);
      if ((active?.keys ?? 0) > maxActive) throw tooManyKeys(maxActive);
      const after = one(rows);
      audit(ctx, tx, { action: "apiKey.create", target: keyId, after, organizationId: owner.organizationId });
      return { ...after, secret };
    }),
  );
}

/** A new key in the place of an old one, which works on for the overlap. Whoever gets the secret stands for it. */
export function rotateApiKey(ctx: UserContext, { owner: whose, id, overlapSeconds, expiresAt }: RotateInput) {
  const owner = assertMayManage(ctx.caller, whose);
  const { secret, row } = newSecret(ctx);
  const newKeyId = newId(apiKeysPrefixes.apiKey);
  const wanted = keyOf(owner, id);
  const runsOut = new Date(Date.now() + overlapSeconds * 1000);
  return ctx.rls(async (tx) => {
    const [[before], [after]] = await Promise.all([
      tx
        .select({ ...apiKeyDetail, isActive: sql<boolean>`${isActive}` })
        .from(apiKey)
        .where(wanted)
        .for("no key update"),
      tx
        .update(apiKey)
        .set({ replacedBy: newKeyId, expiresAt: sql`least(${apiKey.expiresAt}, ${runsOut})` })
        .where(and(wanted, isActive, isNull(apiKey.replacedBy)))
        .returning(apiKeyDetail),
    ]);
    if (!before) throw noKey();
    if (!before.isActive) throw notActive();
    if (!after) throw replaced();
    const { isActive: _, ...old } = before;
    const { name, scopes } = old;
    const values = { id: newKeyId, ...owner, ...row, name, scopes, createdBy: ctx.caller.user.id };
    const rows = await tx
      .insert(apiKey)
      .values({ ...values, expiresAt: expiresAt === undefined ? old.expiresAt : expiresAt })
      .returning(apiKeyDetail);
    const made = one(rows);
    const { organizationId } = owner;
    audit(ctx, tx, { action: "apiKey.rotate", target: id, before: old, after, organizationId });
    audit(ctx, tx, { action: "apiKey.create", target: newKeyId, after: made, organizationId });
    return { ...made, secret };
  });
}
