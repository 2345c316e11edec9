import { APIError } from "better-auth/api";
import { twoFactor } from "better-auth/plugins/two-factor";

// Ways in that prove one thing: a password, a mailbox, an account elsewhere. better-auth itself asks for a second factor
// after passwords alone. A passkey proves two: the device, and whose finger or PIN unlocked it.
const provesOneThing = /^\/(sign-in\/(email|email-otp|social)|callback\/.+)$/;

/** better-auth's second factor, asked for on every way in that proves one thing only. */
export function secondFactor() {
  const plugin = twoFactor({ issuer: "Fairlead" });
  const [challenge] = plugin.hooks.after;
  const handler = async (context: Parameters<typeof challenge.handler>[0]) => {
    const result = await challenge.handler(context);
    const challenged = hasResponse(result);
    if (!challenged || !context.path?.startsWith("/callback/")) return result;
    // A browser on its way back from a provider is to end up in the app, not on a page of JSON.
    const location = locationOf(context.context.returned);
    if (!location) return result;
    const back = new APIError("FOUND", undefined, { location: withChallenge(location) });
    return { ...result, response: back };
  };
  const matcher = ({ path }: { path?: string | undefined }) => provesOneThing.test(path ?? "");
  // The handler is a middleware in all but its declaration: it passes on what one was given and gave.
  return { ...plugin, hooks: { after: [{ matcher, handler: handler as unknown as typeof challenge.handler }] } };
}

function hasResponse(result: unknown): result is { response: unknown } {
  return typeof result === "object" && result !== null && "response" in result && result.response !== undefined;
}

function locationOf(returned: unknown): string | null {
  return returned instanceof APIError ? new Headers(returned.headers).get("location") : null;
}

function withChallenge(location: string): string {
  const [address = "", fragment] = location.split("#");
  const marked = `${address}${address.includes("?") ? "&" : "?"}twoFactor=required`;
  return fragment === undefined ? marked : `${marked}#${fragment}`;
}
