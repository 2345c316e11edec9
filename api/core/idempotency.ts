import { createHash } from "node:crypto";
import { and, eq, idempotencyKey } from "@repo/db";
import superjson from "superjson";
import { connectionOf, type Db, type Tx } from "./database/doors.ts";
import { type Actor, prelude, rls, txOver } from "./database/rls.ts";
import { type TransactionClient, transaction } from "./database/transaction.ts";
import { AppError } from "./errors/app-error.ts";
import { brokenConstraint, isLockTimeout } from "./errors/database.ts";

export const idempotencyHeader = "idempotency-key";

const printable = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/;

/** One call that its sender may repeat: whose, which procedure, under which key, with what. */
export interface OnceCall {
  caller: string;
  organization: string;
  procedure: string;
  key: string;
  payloadHash: string;
}

/** What one write transaction of such a call does. */
export interface OnceStep<T> {
  /** Counts the call's write transactions, from 0. */
  step: number;
  /** Whether what the callback gives may be stored; false where it holds a secret. */
  keepsAnswer: boolean;
  callback: (tx: Tx) => Promise<T>;
}

/**
 * The key that a request carries, or undefined.
 * @throws AppError BAD_REQUEST unless it is 1 to 255 printable ASCII characters.
 */
export function readIdempotencyKey(headers: Headers): string | undefined {
  const key = headers.get(idempotencyHeader);
  if (key === null || printable.test(key)) return key ?? undefined;
  throw new AppError("BAD_REQUEST", "idempotency-key: 1 to 255 printable ASCII characters", {
    reason: "invalid_idempotency_key",
    field: idempotencyHeader,
  });
}

/** Tells payloads apart. */
export function hashPayload(input: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(input) ?? "")
    .digest("base64url");
}

/**
 * `rls` for a call that may be repeated: the key is claimed in the flight of the first statement, and what the callback
 * gave is stored in the flight of COMMIT. A repetition gets the stored value without running the callback.
 * @throws AppError UNPROCESSABLE for another payload, CONFLICT while the first call is still running or when its answer
 * held a secret.
 */
export async function rlsOnce<T>(dbDirect: Db, actor: Actor, [call, step]: [OnceCall, OnceStep<T>]): Promise<T> {
  // Whoever runs the same call holds the key's row: waiting for it would be waiting for them.
  const impatient = `${prelude(actor.role, actor.claims, false)}; set local lock_timeout = '100ms'`;
  const options = { prelude: impatient, readOnly: false };
  try {
    return await transaction(connectionOf(dbDirect), options, (client) => claimAndRun(client, [call, step]));
  } catch (error) {
    if (brokenConstraint(error) !== "idempotency_key_pkey") throw error;
    return replay<T>(dbDirect, actor, [call, step]);
  }
}

async function claimAndRun<T>(
  client: TransactionClient,
  [call, { step, keepsAnswer, callback }]: [OnceCall, OnceStep<T>],
) {
  const tx = txOver(client);
  const claim = tx
    .insert(idempotencyKey)
    .values({ ...call, step })
    .toSQL();
  const claimed = client.query(claim.sql, claim.params).catch((error: unknown) => {
    throw isLockTimeout(error) ? stillRunning() : error;
  });
  const patient = client.query("set local lock_timeout to default");
  // Both are awaited once the callback has ended; until then nobody listens.
  for (const early of [claimed, patient]) early.catch(() => {});
  try {
    const result = await callback(tx);
    await Promise.all([claimed, patient]);
    if (keepsAnswer) {
      const answer = stored(result);
      tx.withCommit(tx.update(idempotencyKey).set({ answer }).where(rowOf(call, step)));
    }
    return result;
  } catch (error) {
    // What failed behind a claim that failed says only that the transaction was aborted.
    await Promise.all([claimed, patient]);
    throw error;
  }
}

/** superjson takes no field that is named as JavaScript's own: an answer that holds one could never be repeated. */
function stored(result: unknown) {
  try {
    return superjson.serialize(result);
  } catch (cause) {
    const message = "A field has a name that cannot be repeated, such as constructor: send it without idempotency-key";
    throw new AppError("BAD_REQUEST", message, { reason: "unstorable", cause });
  }
}

const stillRunning = () =>
  new AppError("CONFLICT", "The first call with this idempotency-key is still running; try again", {
    reason: "in_progress",
    retryAfter: 1,
  });

function rowOf(call: OnceCall, step: number) {
  return and(
    eq(idempotencyKey.caller, call.caller),
    eq(idempotencyKey.organization, call.organization),
    eq(idempotencyKey.procedure, call.procedure),
    eq(idempotencyKey.key, call.key),
    eq(idempotencyKey.step, step),
  );
}

async function replay<T>(dbDirect: Db, actor: Actor, [call, { step }]: [OnceCall, OnceStep<T>]): Promise<T> {
  const [row] = await rls(dbDirect, { ...actor, readOnly: true }, (tx) =>
    tx
      .select({ payloadHash: idempotencyKey.payloadHash, answer: idempotencyKey.answer })
      .from(idempotencyKey)
      .where(rowOf(call, step)),
  );
  if (!row) throw stillRunning();
  if (row.payloadHash !== call.payloadHash) {
    throw new AppError("UNPROCESSABLE", "This idempotency-key was used with another payload", { reason: "key_reused" });
  }
  if (row.answer === null) {
    throw new AppError("CONFLICT", "Done already; the answer held a secret and is not shown again", {
      reason: "already_done",
    });
  }
  // What `stored` serialized, from a callback of the same type.
  return superjson.deserialize(row.answer as Parameters<typeof superjson.deserialize>[0]) as T;
}
