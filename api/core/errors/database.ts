import { RolledBackError } from "../database/transaction.ts";
import { AppError } from "./app-error.ts";

interface PostgresError {
  code: string;
  constraint?: string;
}

/** Each error in the chain of causes, outermost first. */
export function* causes(error: unknown): Generator<unknown> {
  for (let cause = error; cause !== undefined && cause !== null; ) {
    yield cause;
    cause = cause instanceof Error ? cause.cause : undefined;
  }
}

function postgresError(error: unknown): PostgresError | undefined {
  for (const cause of causes(error)) {
    // `severity` tells what Postgres said from what the operating system said.
    if (cause instanceof Error && "severity" in cause && "code" in cause && typeof cause.code === "string") {
      const constraint =
        "constraint" in cause && typeof cause.constraint === "string" ? { constraint: cause.constraint } : {};
      return { code: cause.code, ...constraint };
    }
  }
  return undefined;
}

/** Name of the constraint that a statement broke, or undefined when it failed otherwise. */
export function brokenConstraint(error: unknown): string | undefined {
  const found = postgresError(error);
  return found?.code.startsWith("23") ? found.constraint : undefined;
}

// Classes 08 (connection), 53 (resources) and 58 (system, Hyperdrive's own), the server going down, a deadlock's or a
// timeout's victim.
const awayCode = /^(08|53|58)|^(57P0[1-5]|57014|55P03|40001|40P01)$/;
const awayMessage =
  /connection terminated|connection ended|connection error|not queryable|query read timeout|timeout expired|timeout exceeded|network connection lost|stream was cancelled|socket|ECONN|EPIPE|proxy request failed/i;

/** Whether the statement gave up waiting for a lock. */
export function isLockTimeout(error: unknown): boolean {
  return postgresError(error)?.code === "55P03";
}

// Characters that Postgres cannot store (NUL, lone surrogates), numbers out of range, documents nested too deep.
const inputCode = /^(22|54)/;

/** Whether the database refused a value as such. */
export function isUnstorable(error: unknown): boolean {
  return inputCode.test(postgresError(error)?.code ?? "");
}

/** Whether the failure means that the database was out of reach, so that the same request may succeed later. */
export function isUnavailable(error: unknown): boolean {
  const found = postgresError(error);
  if (found) return awayCode.test(found.code);
  for (const cause of causes(error)) {
    if (cause instanceof AppError || cause instanceof RolledBackError) return false;
    // A DrizzleQueryError's own message quotes SQL and parameters: only what it wraps speaks of the connection.
    if (cause instanceof Error && cause.cause === undefined && awayMessage.test(cause.message)) return true;
    if (cause instanceof Error && "code" in cause && typeof cause.code === "string" && awayMessage.test(cause.code))
      return true;
  }
  return false;
}

/** Turns broken constraints into the errors that `conflicts` names for them; any other failure is thrown on. */
export async function withConflicts<T>(conflicts: Record<string, () => AppError>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const conflict = conflicts[brokenConstraint(error) ?? ""];
    throw conflict ? conflict() : error;
  }
}
