import type { MemberRole, PlatformRole } from "@repo/db";
import type { Actor, insider } from "../actors.ts";

export type Insider = Awaited<ReturnType<typeof insider>>;

/** A tenant with one of everything that a module keeps. Every id in it counts as the tenant's. */
export interface Place {
  host: Insider;
}

/** What the suite has to know of one procedure. */
export interface Case<P extends Place> {
  /** Whom the procedure lets in: anybody, signed-in users, members of an organization, the platform's staff. */
  as: "visitor" | "user" | "member" | "staff";
  /** A valid input about what the place holds; absent: it takes none. */
  input?: (place: P) => unknown;
  /** Brings a fresh place into the state in which the procedure succeeds. */
  prepare?: (place: P) => Promise<unknown>;
  /** Who succeeds; default: the host, or an admin of the platform for `staff`. */
  rightful?: (place: P) => Pick<Actor, "headers">;
  /** Members' roles that may; default all. */
  roles?: readonly MemberRole[];
  /** The platform's roles that may; default both. */
  staff?: readonly PlatformRole[];
  /** Inputs with ids that the caller makes: another tenant's is taken, so CONFLICT. */
  makes?: readonly string[];
  /** Keys of people and of organizations may call it, each about its own owner. */
  anyKey?: true;
  /** A viewer may call this mutation; why. */
  viewerMay?: string;
}

export interface Isolation<P extends Place> {
  place: () => Promise<P>;
  procedures: Record<string, Case<P>>;
}

/** Says what the isolation suite needs of a module: a place, and for each procedure whom it lets in and with what. */
export function defineIsolation<P extends Place>(isolation: Isolation<P>): Isolation<P> {
  return isolation;
}
