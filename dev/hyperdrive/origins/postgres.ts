import type { Origin } from "./origin.ts";
export function createPostgresOrigin(_url: string, _options: { passwords?: Record<string, string> } = {}): Origin {
  throw new Error("later");
}
