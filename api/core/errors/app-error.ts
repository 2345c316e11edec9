/** Every way in which a request can fail, as services name it. */
export const errorCodes = [
  "BAD_REQUEST",
  "UNAUTHENTICATED",
  "FORBIDDEN",
  "NOT_FOUND",
  "CONFLICT",
  "PAYLOAD_TOO_LARGE",
  "UNPROCESSABLE",
  "RATE_LIMITED",
  "UNAVAILABLE",
  "INTERNAL",
] as const;
export type ErrorCode = (typeof errorCodes)[number];

export interface ErrorDetails {
  /** A machine-readable refinement of the code, e.g. `stale_version`. */
  reason?: string;
  /** The input field that the message speaks of. */
  field?: string;
  /** Seconds after which trying again makes sense. */
  retryAfter?: number;
  /** For the log; never shown to a client. */
  cause?: unknown;
}

/** The one error that services throw. Its message is for the client; it knows nothing of tRPC or HTTP. */
export class AppError extends Error {
  override name = "AppError";
  readonly code: ErrorCode;
  readonly reason: string | undefined;
  readonly field: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, { reason, field, retryAfter, cause }: ErrorDetails = {}) {
    super(message, { cause });
    this.code = code;
    this.reason = reason;
    this.field = field;
    this.retryAfter = retryAfter;
  }
}
