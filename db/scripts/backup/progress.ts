/** Hears how a long piece of work gets on. */
export interface Report {
  /** So many rows of this so far. */
  rows(what: string, count: number): void;
  /** This is finished. */
  done(what: string, count: number): void;
}

const everyMs = 2000;

/** Says on stderr what is finished, and where a long one stands every two seconds. */
export function reportOnStderr(now = Date.now): Report {
  let last = Number.POSITIVE_INFINITY;
  const say = (what: string, count: number, end: string) => {
    last = now();
    console.error(`  ${what}: ${count.toLocaleString("en")} row${count === 1 ? "" : "s"}${end}`);
  };
  return {
    rows(what, count) {
      last = Math.min(last, now());
      if (now() - last >= everyMs) say(what, count, " so far");
    },
    done: (what, count) => say(what, count, ""),
  };
}
