import { passkey } from "@better-auth/passkey";
import { APIError } from "better-auth/api";
import type { Env } from "../../../core/env.ts";

/** Sign-in by WebAuthn. The device has to make sure of its user: only then does a passkey stand for two factors. */
export function passkeys({ APP_URL, CORS_ORIGINS, PASSKEY_RP_ID }: Env) {
  return passkey({
    rpName: "Fairlead",
    rpID: PASSKEY_RP_ID ?? new URL(APP_URL).hostname,
    origin: [new URL(APP_URL).origin, ...CORS_ORIGINS],
    authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
    registration: {
      afterVerification: async ({ verification: { registrationInfo } }) => {
        if (!registrationInfo?.userVerified) throw unverified();
      },
    },
    authentication: {
      afterVerification: async ({ verification: { authenticationInfo } }) => {
        if (!authenticationInfo.userVerified) throw unverified();
      },
    },
  });
}

const unverified = () =>
  new APIError("FORBIDDEN", { code: "USER_NOT_VERIFIED", message: "The passkey did not verify its user" });
