/** What each kind of finding adds to the exit code of `db:check`; 1 is kept for a check that could not be made. */
export const findingCodes = {
  /** The schema has what the migrations lack. */
  schema: 2,
  /** The migrations' journal, files or snapshots contradict each other. */
  journal: 4,
  /** The database does not have the migrations that are here. */
  history: 8,
  /** The database's tables, columns, indexes, constraints, policies, grants or functions are not the migrations'. */
  catalogue: 16,
  /** A role of the worker, or the owner, may more or less than it should. */
  roles: 32,
  /** `auth.uid()` is somebody else's. */
  authUid: 64,
} as const;

/** One thing that `db:check` found. */
export interface Finding {
  kind: keyof typeof findingCodes;
  text: string;
}

/** The exit code for all of them: each kind counts once. */
export function exitCodeOf(findings: Finding[]): number {
  return [...new Set(findings.map(({ kind }) => findingCodes[kind]))].reduce((sum, code) => sum + code, 0);
}
