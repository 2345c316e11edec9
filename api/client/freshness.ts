import { freshHeader } from "../core/freshness-header.ts";

type Fetch = typeof fetch;

/** Browsers then send the session cookie to an API of another origin. */
const withCookies = { credentials: "include" } as const;

/**
 * A fetch that carries `x-fresh-until` from an answer to the requests after it. When a mutation's answer is lost, it
 * asks for a token first: the write may have happened all the same.
 */
export function createFreshness(origin: string, send: Fetch): Fetch {
  let token = "";
  let lost = false;

  const keep = (response: Response) => {
    token = response.headers.get(freshHeader) ?? token;
    return response;
  };

  const carry = (init: RequestInit = {}): RequestInit => {
    const headers = new Headers(init.headers);
    if (Number(token.split(".")[0]) > Date.now()) headers.set(freshHeader, token);
    return { ...init, headers, ...withCookies };
  };

  const renew = async (init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    headers.delete("content-type");
    const response = keep(await send(`${origin}/api/fresh`, { method: "POST", headers, ...withCookies }));
    // A visitor gets none, and needs none: what visitors write, they do not read.
    lost = response.status >= 500;
  };

  return async (url, init) => {
    const mutates = init?.method === "POST";
    if (lost && !mutates) await renew(init);
    try {
      const response = keep(await send(url, carry(init)));
      // An answer of the network's own, in the worker's place: the write may have happened all the same.
      lost ||= mutates && response.status >= 500 && !response.headers.has(freshHeader);
      return response;
    } catch (error) {
      lost ||= mutates;
      throw error;
    }
  };
}
