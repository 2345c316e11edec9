import { APIError } from "better-auth/api";
import { twoFactor } from "better-auth/plugins/two-factor";

// Ways in that prove one thing: a password, a mailbox, an account elsewhere. better-auth itself asks for a second factor
// after passwords alone. A passkey proves two: the device, and whose finger or PIN unlocked it.
const provesOneThing = /^\/(sign-in\/(email|email-otp|social)|callback\/.+)$/;

type Challenge = ReturnType<typeof twoFactor>["hooks"]["after"][number]["handler"];

/** What an after hook gets of the request under way. */
interface Answered {
  path?: string;
  context: { responseHeaders?: Headers };
}

/** better-auth's second factor, asked for on every way in that proves one thing only. */
export function secondFactor() {
  const plugin = twoFactor({ issuer: "Fairlead" });
  const after = plugin.hooks.after.map(({ handler }) => ({
    matcher: ({ path }: { path?: string | undefined }) => provesOneThing.test(path ?? ""),
    handler: landing(handler),
  }));
  return { ...plugin, hooks: { after } };
}

/** A browser on its way back from a provider is to end up in the app, not on a page of JSON. */
function landing(challenge: Challenge): Challenge {
  async function handle(input: Parameters<Challenge>[0]) {
    const { path, context } = input as unknown as Answered;
    const location = path?.startsWith("/callback/") ? context.responseHeaders?.get("location") : null;
    const result: unknown = await challenge(input);
    if (!location || !isAnswer(result)) return result;
    const marked = withChallenge(location);
    context.responseHeaders?.set("location", marked);
    return { ...result, response: new APIError("FOUND", undefined, { location: marked }) };
  }
  // A middleware in all but its declaration: it passes on what one was given and gave.
  return handle as unknown as Challenge;
}

function isAnswer(result: unknown): result is { response: unknown } {
  return typeof result === "object" && result !== null && "response" in result && result.response !== undefined;
}

function withChallenge(location: string): string {
  const [address = "", fragment] = location.split("#");
  const marked = `${address}${address.includes("?") ? "&" : "?"}twoFactor=required`;
  return fragment === undefined ? marked : `${marked}#${fragment}`;
}
