import { expect } from "vitest";
import type { ErrorCode } from "../core/errors/app-error.ts";
import { toAppError } from "../core/errors/http.ts";

/** The failure of a call that must fail, as a client would see its code, reason and field. */
export async function refusal(call: Promise<unknown>) {
  const outcome = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error: toAppError(error) }),
  );
  if (!("error" in outcome)) expect.unreachable(`answered ${JSON.stringify(outcome.value)} where a refusal was due`);
  const { code, reason, field, message } = outcome.error;
  return { code, reason, field, message };
}

/** Expects the call to be refused with `code`, and `reason` when given. */
export async function expectRefusal(call: Promise<unknown>, code: ErrorCode, reason?: string) {
  const refused = await refusal(call);
  expect(refused).toMatchObject(reason ? { code, reason } : { code });
  return refused;
}
