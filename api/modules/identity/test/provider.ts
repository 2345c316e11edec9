import { createHash } from "node:crypto";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { vi } from "vitest";

/** What a provider says of somebody. */
export interface Profile {
  sub: string;
  email: string;
  verified: boolean;
  name?: string;
  picture?: string;
}

const keys = await generateKeyPair("RS256");
const strangerKeys = await generateKeyPair("RS256");
const clientId = "the-client";
const clientSecret = "the-clients-secret";

export const settings = {
  GOOGLE_CLIENT_ID: clientId,
  GOOGLE_CLIENT_SECRET: clientSecret,
  GITHUB_CLIENT_ID: clientId,
  GITHUB_CLIENT_SECRET: clientSecret,
};

interface Grant {
  challenge: string;
  redirectUri: string;
  profile: Profile;
}

const grants = new Map<string, Grant>();
const tokens = new Map<string, Profile>();

/** What the person's browser brings back from the provider's page: the code for whoever began at `url`. */
export function consent(url: string, profile: Profile): URLSearchParams {
  const asked = new URL(url).searchParams;
  const code = crypto.randomUUID();
  const challenge = asked.get("code_challenge") ?? "";
  grants.set(code, { challenge, redirectUri: asked.get("redirect_uri") ?? "", profile });
  return new URLSearchParams({ code, state: asked.get("state") ?? "" });
}

/** An id token as Google signs it; `stranger`: with a key that is not Google's. */
export function idToken(profile: Profile, more: JWTPayload = {}, stranger = false): Promise<string> {
  const { sub, email, verified, name, picture } = profile;
  const claims = { email, email_verified: verified, name, picture, ...more };
  return new SignJWT({ iss: "https://accounts.google.com", aud: clientId, ...claims })
    .setProtectedHeader({ alg: "RS256", kid: "google-1" })
    .setSubject(sub)
    .setIssuedAt()
    .setExpirationTime("10m")
    .sign(stranger ? strangerKeys.privateKey : keys.privateKey);
}

async function redeem(request: Request): Promise<Response> {
  const body = new URLSearchParams(await request.text());
  const grant = grants.get(body.get("code") ?? "");
  grants.delete(body.get("code") ?? "");
  const basic = `Basic ${btoa(`${clientId}:${clientSecret}`)}`;
  const known = body.get("client_secret") === clientSecret || request.headers.get("authorization") === basic;
  const verifier = createHash("sha256")
    .update(body.get("code_verifier") ?? "")
    .digest("base64url");
  const proven = grant && (grant.challenge === "" || grant.challenge === verifier);
  if (!known || !proven || grant.redirectUri !== body.get("redirect_uri")) {
    return Response.json({ error: "invalid_grant" }, { status: 400 });
  }
  const accessToken = crypto.randomUUID();
  tokens.set(accessToken, grant.profile);
  const tokenSet = {
    access_token: accessToken,
    token_type: "bearer",
    expires_in: 3600,
    id_token: await idToken(grant.profile),
  };
  return Response.json(tokenSet);
}

async function answer(request: Request): Promise<Response> {
  const { origin, pathname } = new URL(request.url);
  const profile = tokens.get(request.headers.get("authorization")?.slice("Bearer ".length) ?? "");
  switch (`${origin}${pathname}`) {
    case "https://oauth2.googleapis.com/token":
    case "https://github.com/login/oauth/access_token":
      return redeem(request);
    case "https://www.googleapis.com/oauth2/v3/certs":
      return Response.json({ keys: [{ ...(await exportJWK(keys.publicKey)), kid: "google-1", alg: "RS256" }] });
    case "https://api.github.com/user":
      if (!profile) return new Response(null, { status: 401 });
      return Response.json({ id: profile.sub, login: "ada", name: profile.name, avatar_url: profile.picture });
    case "https://api.github.com/user/emails":
      return Response.json([{ email: profile?.email, primary: true, verified: profile?.verified }]);
    default:
      return new Response(null, { status: 404 });
  }
}

/** Puts the providers in the place of the internet; this machine stays reachable. */
export function openProviders(): void {
  const { fetch } = globalThis;
  vi.stubGlobal("fetch", (input: RequestInfo, init?: RequestInit) => {
    const request = new Request(input, init);
    return new URL(request.url).hostname === "127.0.0.1" ? fetch(request) : answer(request);
  });
}
