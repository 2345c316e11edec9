import type { Env } from "../../../core/env.ts";
import { profileInput } from "../input.ts";

/** Providers whose settings are present. */
export function socialProviders(env: Env) {
  const { GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET, GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET } = env;
  return {
    ...pair("google", GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET),
    ...pair("github", GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET),
  };
}

function pair<Name extends string>(name: Name, clientId: string | undefined, clientSecret: string | undefined) {
  if (!clientId || !clientSecret) return {};
  return { [name]: { clientId, clientSecret } } as Record<Name, { clientId: string; clientSecret: string }>;
}

const { name: validName, image: validImage } = profileInput.shape;

/** Holds what a provider says about a person to the rules for what people say themselves. */
export async function tidyProfile<P extends { name: string; image?: string | null | undefined }>(profile: P) {
  const name = validName.safeParse(profile.name.replaceAll(/\p{Cc}/gu, "").slice(0, 100));
  const image = validImage.safeParse(profile.image ?? null);
  return { data: { ...profile, name: name.data ?? "", image: image.data ?? null } };
}

interface Told {
  user: { emailVerified?: boolean };
  source: { action: string; method: string };
}

/**
 * Lets a provider speak for verified addresses alone. Otherwise somebody could be in an account, and leave keys and
 * passkeys there, before the owner of its address comes and proves it.
 */
export function provedAddress({ user, source }: Told) {
  if (source.method !== "oauth" || source.action === "sign-in" || user.emailVerified) return;
  return { error: "email_not_verified", errorDescription: "Verify your address at the provider first" };
}

/** Says who somebody is in the clear, and nothing asks for it again. */
export async function withoutIdToken<Account extends object>(account: Account) {
  return { data: "idToken" in account ? { ...account, idToken: null } : account };
}
