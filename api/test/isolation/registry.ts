import type { Case, Isolation, Place } from "./declare.ts";

declare global {
  interface ImportMeta {
    /** Vite's: every file that matches, by its path. */
    glob<T>(pattern: string, options: { eager: true }): Record<string, T>;
  }
}

const files = import.meta.glob<{ isolation: Isolation<Place> }>("../../modules/*/test/isolation.ts", { eager: true });

export interface Covered {
  /** The module's, so that what may not change is made once. */
  place: () => Promise<Place>;
  procedure: Case<Place>;
}

/** Each covered procedure by its path, composed of what the modules declare. */
export const covered: Record<string, Covered> = Object.fromEntries(
  Object.values(files).flatMap(({ isolation: { place, procedures } }) =>
    Object.entries(procedures).map(([path, procedure]) => [path, { place, procedure }]),
  ),
);

/** What is declared of a covered procedure. */
export function coverageOf(path: string): Covered {
  const found = covered[path];
  if (!found) throw new Error(`${path} is not covered`);
  return found;
}

const places = new Map<unknown, Promise<Place>>();

/** The module's place for all the tests of a file in which nothing may happen to it. */
export function untouched(path: string): Promise<Place> {
  const { place } = coverageOf(path);
  const made = places.get(place) ?? place();
  places.set(place, made);
  return made;
}

interface Router {
  _def: { procedures: object };
}

/** Procedures of the router that no module declares anything about, and declarations of procedures that are gone. */
export function gaps(router: Router): { uncovered: string[]; gone: string[] } {
  const there = Object.keys(router._def.procedures);
  return {
    uncovered: there.filter((path) => !Object.hasOwn(covered, path)),
    gone: Object.keys(covered).filter((path) => !there.includes(path)),
  };
}
