import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs, stripVTControlCharacters } from "node:util";
import { testCounts } from "./test-counts.ts";
import { type Step, steps } from "./verify-steps.ts";

const usage = `bun run verify [step …] [--without <step>] [--report <file>]

Runs all that CI runs, or the named steps. A failed step does not stop the others, so that one run shows everything.
  --without  leave a step out; may be repeated
  --report   write "<passed> <failed>" to a file: one for each step, and the tests of the test steps
steps: ${steps.map(({ name }) => name).join(", ")}`;

interface Outcome {
  step: Step;
  ok: boolean;
  seconds: number;
  passed: number;
  failed: number;
}

interface Ended {
  ok: boolean;
  output: string;
}

function run([program = "", ...args]: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const command = program === "node" ? process.execPath : program;
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        output += String(chunk);
      });
    }
    child.once("error", (error) => resolve({ ok: false, output: `${output}${error.message}\n` }));
    child.once("close", (code) => resolve({ ok: code === 0, output }));
  });
}

/** What a step says of itself in one line: the last line of its own checks, or how many tests passed. */
function remarkOf(step: Step, output: string): string {
  if (step.tests) {
    const { passed, failed } = testCounts(output);
    return `${passed} tests passed${failed > 0 ? `, ${failed} failed` : ""}`;
  }
  const lines = stripVTControlCharacters(output).trim().split("\n");
  return step.remark ? (lines.at(-1) ?? "") : "";
}

async function runStep(step: Step): Promise<Outcome> {
  const started = performance.now();
  const parts: Ended[] = [];
  for (const command of step.commands) parts.push(await run(command));
  const seconds = (performance.now() - started) / 1000;
  const output = parts.map((part) => part.output).join("");
  const counts = step.tests ? testCounts(output) : { passed: 0, failed: 0 };
  const ok = parts.every((part) => part.ok) && (!step.tests || (counts.passed > 0 && counts.failed === 0));
  const line = `${ok ? "ok  " : "FAIL"}  ${step.name.padEnd(16)} ${seconds.toFixed(1).padStart(6)} s  ${remarkOf(step, output)}`;
  console.log(line.trimEnd());
  if (!ok) console.log(`${output.trim()}\n`);
  return { step, ok, seconds, ...counts };
}

function chosenSteps(names: string[], without: string[]): Step[] {
  const unknown = [...names, ...without].filter((name) => !steps.some((step) => step.name === name));
  if (unknown.length > 0) {
    console.error(`no such step: ${unknown.join(", ")}\n\n${usage}`);
    process.exit(2);
  }
  const wanted = names.length === 0 ? steps : steps.filter(({ name }) => names.includes(name));
  return wanted.filter(({ name }) => !without.includes(name));
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    without: { type: "string", multiple: true, default: [] },
    report: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}

const outcomes: Outcome[] = [];
for (const step of chosenSteps(positionals, values.without)) outcomes.push(await runStep(step));

const broken = outcomes.filter(({ ok }) => !ok);
const minutes = outcomes.reduce((sum, { seconds }) => sum + seconds, 0) / 60;
const sum = (counted: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + counted(outcome), 0);
if (outcomes.length > 1) {
  const verdict = broken.length === 0 ? "all good" : `failed: ${broken.map(({ step }) => step.name).join(", ")}`;
  console.log(
    `\n${outcomes.length - broken.length} of ${outcomes.length} steps passed in ${minutes.toFixed(1)} min; ${verdict}`,
  );
}
if (values.report) {
  const passed = outcomes.length - broken.length + sum((outcome) => outcome.passed);
  writeFileSync(values.report, `${passed} ${broken.length + sum((outcome) => outcome.failed)}\n`);
}
process.exitCode = broken.length === 0 ? 0 : 1;
