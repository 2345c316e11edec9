import { AppError } from "../../core/errors/app-error.ts";

export const invalidKey = () =>
  new AppError("UNAUTHENTICATED", "Invalid API key: unknown, revoked or expired", { reason: "invalid_api_key" });

export const noKey = () => new AppError("NOT_FOUND", "No such API key");

export const noOwner = () => new AppError("NOT_FOUND", "No such user or organization");

export const notActive = () =>
  new AppError("CONFLICT", "The API key is revoked or has expired", { reason: "key_not_active" });

export const replaced = () =>
  new AppError("CONFLICT", "The API key has been rotated already", { reason: "key_replaced" });

export const creatorStays = () =>
  new AppError("CONFLICT", "Whoever stands for this key is still a member", { reason: "creator_stays" });

export const tooManyKeys = (limit: number) =>
  new AppError("CONFLICT", `There are ${limit} active API keys already: revoke one first`, { reason: "key_limit" });

export function unknownScopes(scopes: string[]): AppError {
  return new AppError("BAD_REQUEST", `scopes: there is no ${scopes.join(", ")}`, {
    reason: "unknown_scope",
    field: "scopes",
  });
}
