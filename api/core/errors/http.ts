import { TRPCError } from "@trpc/server";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { ZodError } from "zod";
import { AppError, type ErrorCode } from "./app-error.ts";
import { isUnavailable, isUnstorable } from "./database.ts";

type TrpcCode = TRPCError["code"];

/** The one table from our codes to tRPC's and HTTP's. */
const outward: Record<ErrorCode, { trpc: TrpcCode; status: ContentfulStatusCode }> = {
  BAD_REQUEST: { trpc: "BAD_REQUEST", status: 400 },
  UNAUTHENTICATED: { trpc: "UNAUTHORIZED", status: 401 },
  FORBIDDEN: { trpc: "FORBIDDEN", status: 403 },
  NOT_FOUND: { trpc: "NOT_FOUND", status: 404 },
  CONFLICT: { trpc: "CONFLICT", status: 409 },
  PAYLOAD_TOO_LARGE: { trpc: "PAYLOAD_TOO_LARGE", status: 413 },
  UNPROCESSABLE: { trpc: "UNPROCESSABLE_CONTENT", status: 422 },
  RATE_LIMITED: { trpc: "TOO_MANY_REQUESTS", status: 429 },
  UNAVAILABLE: { trpc: "SERVICE_UNAVAILABLE", status: 503 },
  INTERNAL: { trpc: "INTERNAL_SERVER_ERROR", status: 500 },
};

const retryAfterSeconds: Partial<Record<ErrorCode, number>> = { UNAVAILABLE: 2, RATE_LIMITED: 60 };

/** Whatever was thrown, as an AppError that is safe to show: an unknown failure keeps its cause for the log alone. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof TRPCError && error.cause instanceof AppError) return error.cause;
  // Before anything looks at messages: here they quote what the client sent.
  if (error instanceof TRPCError && error.code !== "INTERNAL_SERVER_ERROR") return fromTrpc(error);
  if (isUnavailable(error)) {
    return new AppError("UNAVAILABLE", "The database is out of reach; try again shortly", { cause: error });
  }
  if (isUnstorable(error)) {
    const message = "The input holds something that cannot be stored, such as a NUL character or too deep nesting";
    return new AppError("BAD_REQUEST", message, { reason: "unstorable", cause: error });
  }
  return new AppError("INTERNAL", "Internal error", { cause: error });
}

/** The same failure as tRPC carries it. */
export function toTrpcError(error: AppError): TRPCError {
  return new TRPCError({ code: outward[error.code].trpc, message: error.message, cause: error });
}

/** HTTP status of the failure. */
export function statusOf(error: AppError): ContentfulStatusCode {
  return outward[error.code].status;
}

/** Seconds for the header `Retry-After`, or undefined where trying again would not help. */
export function retryAfterOf(error: AppError): number | undefined {
  return error.retryAfter ?? retryAfterSeconds[error.code];
}

/** tRPC's own refusals: bad input, no such procedure, wrong method, body too large. */
function fromTrpc(error: TRPCError): AppError {
  const code = trpcToOurs.get(error.code) ?? "BAD_REQUEST";
  if (!(error.cause instanceof ZodError)) return new AppError(code, error.message, { cause: error });
  const [issue] = error.cause.issues;
  const field = issue?.path.join(".");
  const message = issue ? `${field || "input"}: ${issue.message}` : "Invalid input";
  return new AppError(code, message, { reason: "invalid_input", cause: error.cause, ...(field ? { field } : {}) });
}

const trpcToOurs = new Map<TrpcCode, ErrorCode>(
  Object.entries(outward).map(([code, { trpc }]) => [trpc, code as ErrorCode]),
);
