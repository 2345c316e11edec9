import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { app } from "../app.ts";
import { type Client, createClient } from "../client.ts";

export const origin = "http://127.0.0.1:8787";

/** Bindings and settings to put in the place of the test's own. */
export type Overrides = Record<string, unknown>;

/** One request through the whole app; returns when all that it left behind is done too. */
export async function send(request: Request, overrides: Overrides = {}): Promise<Response> {
  const context = createExecutionContext();
  const response = await app.fetch(request, { ...env, ...overrides } as Cloudflare.Env, context);
  const body = await response.arrayBuffer();
  await waitOnExecutionContext(context);
  return new Response(body.byteLength ? body : null, response);
}

/** The same, by path. */
export function get(path: string, overrides?: Overrides, headers: HeadersInit = {}): Promise<Response> {
  return send(new Request(`${origin}${path}`, { headers }), overrides);
}

/** A POST with a JSON body. */
export function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const init = {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  };
  return send(new Request(`${origin}${path}`, init));
}

/** The real client over `send`; `seen` collects the answers' headers. */
export function clientFor(
  headers: Record<string, string>,
  overrides?: Overrides,
): { client: Client; seen: Response[] } {
  const seen: Response[] = [];
  const client = createClient({
    url: origin,
    headers,
    async fetch(input, init) {
      const response = await send(new Request(input, init), overrides);
      seen.push(response.clone());
      return response;
    },
  });
  return { client, seen };
}
