import { isIPv4 } from "node:net";
import { Refusal } from "@repo/db/scripts/cli";
import { PROFILES, type Profile } from "./cache/cacheability.ts";
import type { HyperdriveOptions } from "./index.ts";
import { LONGEST_MS } from "./legs/latency.ts";

/** What the command line holds, by option. */
export type Values = Record<string, string | boolean | undefined>;

interface Range {
  fallback: number;
  least?: number;
  most: number;
  isWhole?: boolean;
}

const port = (fallback: number): Range => ({ fallback, most: 65_535, isWhole: true });
const NUMBERS = {
  "cached-port": port(5433),
  "direct-port": port(5434),
  "origin-port": port(0),
  "control-port": port(5435),
  "max-age": { fallback: 60, most: 3600 },
  "stale-while-revalidate": { fallback: 15, most: 3600 },
  locations: { fallback: 1, least: 1, most: 100, isWhole: true },
  "pool-size": { fallback: 5, least: 1, most: 1000, isWhole: true },
  "client-edge-ms": { fallback: 0, most: LONGEST_MS },
  "edge-origin-ms": { fallback: 0, most: LONGEST_MS },
  jitter: { fallback: 0, most: 1 },
  seed: { fallback: 1, most: 2 ** 32 - 1, isWhole: true },
} satisfies Record<string, Range>;

/** @throws Refusal that names the option and what it takes. */
export function readPasswords(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const split = pair.indexOf("=");
      if (split < 1) throw new Refusal("--origin-password takes <user>=<text>.");
      return [pair.slice(0, split), pair.slice(split + 1)];
    }),
  );
}

/** @throws Refusal that names the option and what it takes. */
export function readOptions(values: Values): Omit<HyperdriveOptions, "origin"> & { host: string } {
  if (values["caching-disabled"] === true && values.shadow === true) {
    throw new Refusal("--shadow compares hits with the origin, and with --caching-disabled there are none.");
  }
  const number = (name: keyof typeof NUMBERS) => readNumber(name, values[name]);
  const cache = {
    profile: readProfile(values.profile ?? "paranoid"),
    maxAgeMs: number("max-age") * 1000,
    staleMs: number("stale-while-revalidate") * 1000,
  };
  return {
    ...readEntrance(values),
    ports: { cached: number("cached-port"), direct: number("direct-port"), origin: number("origin-port") },
    control: number("control-port"),
    cache: values["caching-disabled"] === true ? false : cache,
    locations: number("locations"),
    shadow: values.shadow === true,
    edgePrepared: readSwitch("edge-prepared", values["edge-prepared"] ?? "on"),
    poolSize: number("pool-size"),
    latency: {
      clientEdgeMs: number("client-edge-ms"),
      edgeOriginMs: number("edge-origin-ms"),
      jitter: number("jitter"),
      seed: number("seed"),
    },
  };
}

function readEntrance({ host = "127.0.0.1", password }: Values): { host: string; password?: string } {
  if (password === "") throw new Refusal("--password takes a text; without the option everybody is trusted.");
  if (typeof password === "string") return { host: String(host), password };
  if (isLoopback(String(host))) return { host: String(host) };
  throw new Refusal(`Whoever reaches ${host} would be let in as any user: say --password too.`);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

function readNumber(name: keyof typeof NUMBERS, value: string | boolean | undefined): number {
  const { fallback, least = 0, most, isWhole = false }: Range = NUMBERS[name];
  const number = Number(value ?? fallback);
  if (value !== "" && number >= least && number <= most && (!isWhole || Number.isInteger(number))) return number;
  throw new Refusal(`--${name} takes a ${isWhole ? "whole " : ""}number from ${least} to ${most}, not "${value}".`);
}

function readSwitch(name: string, value: string | boolean): boolean {
  if (value !== "on" && value !== "off") throw new Refusal(`--${name} takes on or off.`);
  return value === "on";
}

function readProfile(value: string | boolean): Profile {
  if (value === "paranoid" || value === "strict-docs") return value;
  throw new Refusal(`--profile takes ${Object.keys(PROFILES).join(" or ")}.`);
}
