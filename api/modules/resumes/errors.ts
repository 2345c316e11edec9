import { AppError } from "../../core/errors/app-error.ts";

export const notFound = () => new AppError("NOT_FOUND", "No such résumé");

export const stale = (version: number) =>
  new AppError("CONFLICT", `The résumé has changed since: it is at version ${version} now`, {
    reason: "stale_version",
    field: "version",
  });

/** What a broken constraint of the table means to the caller. */
export const conflicts = {
  resume_slug_unique: () =>
    new AppError("CONFLICT", "slug: this address is taken", { reason: "slug_taken", field: "slug" }),
  resume_user_name_unique: () =>
    new AppError("CONFLICT", "name: you have a résumé of this name already", { reason: "name_taken", field: "name" }),
  resume_pkey: () => new AppError("CONFLICT", "id: taken already", { reason: "id_taken", field: "id" }),
  resume_user_fk: () =>
    new AppError("CONFLICT", "Your account has changed meanwhile; sign in again", { reason: "account_changed" }),
};
