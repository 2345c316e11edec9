import { createInterface } from "node:readline/promises";
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** A failure that its one line explains, mend included: shown without a stack. */
export class Refusal extends Error {
  override name = "Refusal";
}

interface Command<Options extends ParseArgsOptionsConfig> {
  /** What `--help` prints. */
  usage: string;
  options: Options;
  /** The most arguments that it takes beside its options; default none. */
  maxArguments?: number;
  run(values: ReturnType<typeof parseArgs<{ options: Options }>>["values"], args: string[]): Promise<void>;
}

/**
 * Runs a program of ours: reads its options, answers `--help` and `-h`, and ends a failure with one line on stderr and exit
 * code 1.
 */
export async function runCommand<const Options extends ParseArgsOptionsConfig>({
  usage,
  options,
  maxArguments = 0,
  run,
}: Command<Options>): Promise<void> {
  try {
    if (process.argv.some((word) => word === "--help" || word === "-h")) return console.log(usage);
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const extra = positionals[maxArguments];
    if (extra !== undefined) throw new Refusal(`What is "${extra}" for? (--help shows the options)`);
    await run(values, positionals);
  } catch (error) {
    console.error(describeFailure(error));
    process.exitCode = 1;
  }
}

/** Asks on the terminal; `flag` is what answers in advance. @throws Refusal unless the answer is yes. */
export async function confirm(question: string, flag = "--yes"): Promise<void> {
  if (!process.stdin.isTTY) throw new Refusal(`${question} Nobody is here to answer: add ${flag}.`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C and Ctrl-D are answers, too.
  const answer = await terminal.question(`${question} [y/N] `).catch(() => {
    console.error();
    return "";
  });
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Refusal("Nothing was changed.");
}

/** One line for failures that are nobody's mistake in the code, the stack for the others. */
export function describeFailure(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  if (!(error instanceof Error)) return String(error);
  // Drizzle wraps what the driver throws.
  if (error.cause instanceof Error && "code" in error.cause) return describeFailure(error.cause);
  const code = "code" in error ? String(error.code) : "";
  if (code.startsWith("ERR_PARSE_ARGS")) return `${error.message.replaceAll("\n", " ")} (--help shows the options)`;
  if (/^(ECONN|ENOTFOUND|ETIMEDOUT|EAI_AGAIN|CONNECT_TIMEOUT|CONNECTION_)/.test(code)) {
    return `The database is out of reach (${code}): is DATABASE_URL right, and the server up?`;
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) {
    return `The database's certificate is not trusted (${code}): NODE_EXTRA_CA_CERTS names the file of an authority of your own.`;
  }
  if (/no encryption/.test(error.message)) {
    return "The database takes encrypted connections alone: end DATABASE_URL with ?sslmode=require.";
  }
  if (code === "28P01" || code === "28000")
    return "The database refuses the login: check user and password in DATABASE_URL.";
  if ("severity" in error) return describeSqlError(error);
  return error.stack ?? error.message;
}

/** What Postgres says of a statement, with detail and hint. */
export function describeSqlError(error: Error): string {
  const of = (key: string) =>
    key in error && Reflect.get(error, key) ? ` ${key}: ${String(Reflect.get(error, key))}` : "";
  return `The database says: ${error.message}${of("detail")}${of("hint")}`;
}
