import { createInsertSchema, createSelectSchema, createUpdateSchema } from "drizzle-zod";
import { identity, passkey, rateLimit, session, twoFactor, user, verification } from "../schema/identity.ts";
import { ids } from "./ids.ts";

export const insertUserSchema = createInsertSchema(user, ids(user));
export const selectUserSchema = createSelectSchema(user, ids(user));
export const updateUserSchema = createUpdateSchema(user, ids(user));

export const insertSessionSchema = createInsertSchema(session, ids(session));
export const selectSessionSchema = createSelectSchema(session, ids(session));
export const updateSessionSchema = createUpdateSchema(session, ids(session));

export const insertIdentitySchema = createInsertSchema(identity, ids(identity));
export const selectIdentitySchema = createSelectSchema(identity, ids(identity));
export const updateIdentitySchema = createUpdateSchema(identity, ids(identity));

export const insertVerificationSchema = createInsertSchema(verification, ids(verification));
export const selectVerificationSchema = createSelectSchema(verification, ids(verification));
export const updateVerificationSchema = createUpdateSchema(verification, ids(verification));

export const insertRateLimitSchema = createInsertSchema(rateLimit, ids(rateLimit));
export const selectRateLimitSchema = createSelectSchema(rateLimit, ids(rateLimit));
export const updateRateLimitSchema = createUpdateSchema(rateLimit, ids(rateLimit));

export const insertPasskeySchema = createInsertSchema(passkey, ids(passkey));
export const selectPasskeySchema = createSelectSchema(passkey, ids(passkey));
export const updatePasskeySchema = createUpdateSchema(passkey, ids(passkey));

export const insertTwoFactorSchema = createInsertSchema(twoFactor, ids(twoFactor));
export const selectTwoFactorSchema = createSelectSchema(twoFactor, ids(twoFactor));
export const updateTwoFactorSchema = createUpdateSchema(twoFactor, ids(twoFactor));
