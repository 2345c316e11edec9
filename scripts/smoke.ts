const usage = "bun run smoke <address of the API, e.g. https://api.example.com>";
const attempts = 6;
const pauseMs = 5000;
const timeoutMs = 15_000;

type Look = (response: Response) => Promise<string | undefined>;

const isOk: Look = async (response) =>
  response.ok ? undefined : `status ${response.status}: ${await response.text()}`;

/** A slug that nobody has: the procedure has to look, through the cached door, and to say that there is none. */
const unknownSlug = `smoke-${crypto.randomUUID()}`;

const probes: { what: string; path: string; look: Look }[] = [
  { what: "the process answers", path: "/health", look: isOk },
  { what: "the database answers through both bindings", path: "/ready", look: isOk },
  {
    what: "a public procedure answers",
    path: `/api/trpc/resumes.bySlug?input=${encodeURIComponent(JSON.stringify({ slug: unknownSlug }))}`,
    look: async (response) => {
      const text = await response.text();
      const isAnswer = response.status === 200 || (response.status === 404 && !text.includes("No procedure"));
      return isAnswer && /^\{"(result|error)"/.test(text) ? undefined : `status ${response.status}: ${text}`;
    },
  },
];

/** What is wrong with the answer, or undefined; a new deployment takes a few seconds to arrive everywhere. */
async function probe(url: URL, look: Look): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    const problem = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) }).then(look, String);
    if (problem === undefined || attempt === attempts) return problem;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

const [address] = process.argv.slice(2);
if (!address || !URL.canParse(address)) {
  console.error(usage);
  process.exit(2);
}
for (const { what, path, look } of probes) {
  const problem = await probe(new URL(path, address), look);
  console.log(
    `${problem === undefined ? "ok  " : "FAIL"}  ${what}${problem === undefined ? "" : `: ${problem.slice(0, 300)}`}`,
  );
  if (problem !== undefined) process.exitCode = 1;
}
