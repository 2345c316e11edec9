import { causes } from "./errors/database.ts";

type Fields = Record<string, unknown>;

const secretField = /pass(word)?$|secret|token|authorization|cookie|otp|api_?key/i;
const secretTexts = [
  /(?<=\bfl_(?:live|test)_)[A-Za-z0-9]+/g,
  /(?<=postgres(?:ql)?:\/\/[^:\s]+:)[^@\s]+(?=@)/gi,
  /(?<=bearer\s+)[\w.~+/=%-]+/gi,
];

function redactText(text: string): string {
  return secretTexts.reduce((redacted, pattern) => redacted.replace(pattern, "[redacted]"), text);
}

/** A copy without secrets, which are told by their field's name or by their shape. */
export function redact(value: unknown): unknown {
  if (typeof value === "string") return redactText(value);
  if (Array.isArray(value)) return value.map(redact);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, secretField.test(key) ? "[redacted]" : redact(entry)]),
  );
}

function describeCause(cause: unknown): Fields {
  if (!(cause instanceof Error)) return { thrown: typeof cause };
  const [message = ""] = cause.message.split("\nparams:");
  return { name: cause.name, message: redactText(message), code: "code" in cause ? cause.code : undefined };
}

/** An error and its causes for the log: names, messages, the innermost stack; Drizzle's parameters left out. */
export function describeError(error: unknown): Fields {
  const chain = [...causes(error)];
  const innermost = chain.at(-1);
  const stack = innermost instanceof Error ? innermost.stack?.split("\n    at ").slice(1, 6) : undefined;
  return { chain: chain.map(describeCause), stack };
}

/** Writes one JSON line; secrets are redacted. */
export function logLine(level: "info" | "warn" | "error", message: string, fields: Fields = {}): void {
  const line = JSON.stringify({ level, message, ...(redact(fields) as Fields) });
  if (level === "error") console.error(line);
  else if (level === "warn") console.warn(line);
  else console.log(line);
}
